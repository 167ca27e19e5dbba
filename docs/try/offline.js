// Keeps the files of this page, so that it works without a network after the first visit.
const cache = "valuegrad-$version";
const files = $files;

addEventListener("install", (event) => event.waitUntil((async () => {
  await (await caches.open(cache)).addAll(files);
  await skipWaiting();
})()));
addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith("valuegrad-") && name !== cache) await caches.delete(name);
  }
  await clients.claim();
})()));
addEventListener("fetch", (event) => event.respondWith((async () => {
  const kept = await (await caches.open(cache)).match(event.request, { ignoreSearch: true });
  return kept ?? fetch(event.request);
})()));
