// The page: controls, the loop that trains and draws, and what the pointer and the keyboard do.

const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const format = numberFormat(4);
const FRAME = 12; // milliseconds of a frame in which to train

const state = { playing: false, debt: 0, before: 0, chosen: null, told: 0 };
const settings = { rate: data.rate, batch: data.batch, seed: data.seed, decay: data.optimizers[0].decay ?? 0, optimizer: 0 };
let training, network, picture, programs, ramps;

const start = async () => {
  programs = await loaded(data);
  training = new Training(data, programs, settings);
  picture = pictureOf(data);
  network = data.layers && new Network(element("neurons"), data);
  ramps = new Ramps();
  prepare();
  draw();
  document.documentElement.dataset.ready = "";
};

// --- drawing ----------------------------------------------------------------------------------------------------------

const shownSample = () => state.chosen ?? training.last?.indices[0] ?? 0;

const draw = () => {
  const { measured, theta } = training;
  const [plane, sample] = [picture instanceof Plane ? picture : null, shownSample()];
  const points = plane ? plane.points : training.train.features(sample);
  const responses = network && programs.respond(theta, points);
  const scores = network ? responses.slice(-network.sizes.at(-1)) : plane && training.scores(points);
  if (network) network.draw(theta, ramps, responses, points, plane);
  picture.draw(element("picture"), {
    measured, ramps, chosen: state.chosen ?? -1,
    scores, found: (measured.test ?? measured.train).found,
  });
  drawCurve(element("curve"), training.curve);
  element("epoch").textContent = training.epochs;
  element("steps").textContent = training.steps;
  element("train-loss").textContent = format(measured.train.loss);
  element("test-loss").textContent = measured.test ? format(measured.test.loss) : "";
  element("metric").textContent = data.metric ? format((measured.test ?? measured.train).metric) : "";
  showGradient();
};

const text = (tag, ...parts) => {
  const made = document.createElement(tag);
  made.append(...parts.map((part) => (typeof part === "string" ? part : Object.assign(document.createElement("bdi"), { textContent: part.name }))));
  return made;
};

// One step in words, with the numbers of one sample.
const tell = () => {
  const lines = element("lines");
  const last = training.last;
  if (!last) {
    lines.replaceChildren(text("li", "Nothing has been learnt yet. Press Step for one update, or Play."));
    return;
  }
  const sample = shownSample();
  const [X, y] = training.train.at([sample]);
  const { loss, scores } = programs.evaluate(last.before, X, y);
  const features = [...X].slice(0, 6).map((x, i) => `${data.columns[i]} = ${format(x)}`).join(", ") + (X.length > 6 ? ", …" : "");
  const target = data.labels.length ? data.classes[classOf(data, data.train.y[sample])] : [...y].map(format).join(", ");
  const steepest = last.gradient.reduce((best, g, i) => (Math.abs(g) > Math.abs(last.gradient[best]) ? i : best), 0);
  const name = { name: data.names[steepest] };
  const written = scores.map((score) => format(score[0])).join(", ");
  lines.replaceChildren(
    text("li", `Forward: for sample ${sample} (${features}) the network gave ${written}.`),
    text("li", `Loss: with its target ${target}, ${data.loss} is ${format(loss[0])}; the mean of the ${last.indices.length} samples of the step is ${format(last.loss)}.`),
    text("li", `Backward: the derivatives of that mean by all ${last.gradient.length} weights; the steepest is ∂loss/∂`, name, ` = ${format(last.gradient[steepest])}.`),
    text("li", `Update: ${training.optimizer.name} with the learning rate ${format(settings.rate)} moved `, name, ` from ${format(last.before[steepest])} to ${format(last.after[steepest])}.`),
  );
};

const update = () => {
  draw();
  tell();
  const { diverged } = training;
  element("diverged").hidden = !diverged;
  if (!diverged) return;
  play(false);
  const what = Number.isFinite(diverged.loss) ? "a derivative is not finite" : `the loss is ${format(diverged.loss)}`;
  element("diverged").querySelector("span").textContent =
    `The run has diverged: at step ${diverged.step} ${what}. A smaller learning rate may help.`;
};

// --- the loop ---------------------------------------------------------------------------------------------------------

const play = (playing) => {
  state.playing = playing && !training.diverged;
  state.before = performance.now();
  state.debt = 0;
  element("play").textContent = state.playing ? "❚❚ Pause" : "▶ Play";
  element("play").setAttribute("aria-pressed", state.playing);
  element("lines").setAttribute("aria-live", state.playing ? "off" : "polite");
  if (state.playing) requestAnimationFrame(frame);
  else tell();
};

const frame = (now) => {
  if (!state.playing) return;
  const speed = Number(element("speed").value);
  state.debt += (speed * Math.max(0, now - state.before)) / 1000;
  state.before = now;
  const until = performance.now() + FRAME;
  let steps = Math.min(state.debt, 1e9);
  for (; steps >= 1 && performance.now() < until; steps--) if (!training.step()) break;
  state.debt = Math.min(steps, 1);
  if (now - state.told > 400) {
    state.told = now;
    tell();
  }
  draw();
  if (training.diverged) update();
  else requestAnimationFrame(frame);
};

const oneStep = () => {
  play(false);
  training.step();
  training.measured.train = training.evaluate(training.train);
  if (training.test) training.measured.test = training.evaluate(training.test);
  update();
};

const reset = () => {
  play(false);
  training.reset();
  update();
};

// --- controls ---------------------------------------------------------------------------------------------------------

// What may be typed: reads the text, and says what is wrong with it.
const between = (low, high, whole, what) => (written) => {
  const { number, wrong } = readNumber(written);
  if (wrong) return { wrong };
  const fits = number >= low && number <= high && (!whole || Number.isInteger(number));
  return fits ? { number } : { wrong: `${what}, got ${format(number)}` };
};

const field = (id, read, shown, message, apply) => {
  const input = element(id);
  input.value = shown();
  input.addEventListener("change", () => {
    const { number, wrong } = read(input.value);
    input.setAttribute("aria-invalid", Boolean(wrong));
    element(message).textContent = wrong ? `${wrong}. It stays ${shown()}.` : "";
    if (wrong) return;
    apply(number);
    input.value = shown();
  });
};

const set = (key) => (number) => {
  settings[key] = number;
  if (key === "seed") reset();
};

const prepare = () => {
  for (const { name } of data.optimizers) element("optimizer").add(new Option(name));
  for (const [i, name] of data.names.entries()) element("parameter").add(new Option(name, i));
  for (const part of document.querySelectorAll("[data-test]")) part.hidden = !data.test;
  for (const part of document.querySelectorAll("[data-metric]")) part.hidden = !data.metric;
  element("metric-name").textContent = `${data.metric}, ${data.test ? "test" : "training"}`.replace(/^./, (c) => c.toUpperCase());
  element("picture-title").textContent = picture.title;
  element("picture").setAttribute("aria-label", `${picture.title}; the numbers above say the same`);
  element("curve").setAttribute("aria-label", "The curve of the loss, on a scale of tens");
  if (!network) {
    element("neurons").parentElement.replaceChildren("No picture of this model: it is no chain of layers, or too large.");
  } else {
    element("key").textContent = picture instanceof Plane
      ? "A line is a weight, a square a neuron and where in the plane it answers: blue above 0, orange below."
      : "A line is a weight, a square a neuron and its answer to one sample: blue above 0, orange below.";
    element("neurons").setAttribute("aria-label", `The network: ${network.sizes.join(", ")} neurons from left to right. Below, its weights one by one.`);
  }
  const whole = (low, high, what) => between(low, high, true, what);
  field("rate", between(Number.MIN_VALUE, 1e6, false, "The learning rate is a positive number"), () => exactly(settings.rate), "wrong", set("rate"));
  field("batch", whole(1, data.train.X.length, `The batch size is a whole number from 1 to ${data.train.X.length}`), () => String(settings.batch), "wrong", set("batch"));
  field("seed", whole(0, 2 ** 32 - 1, "The seed is a whole number from 0 to 4294967295"), () => String(settings.seed), "wrong", set("seed"));
  field("decay", between(0, 1e6, false, "Regularisation is a number from 0"), () => exactly(settings.decay), "wrong", set("decay"));
  field("number", between(-1e300, 1e300, false, "A weight is a finite number"), () => exactly(training.theta[parameter()]), "wrong-weight", setWeight);
  showLegend();
  tell();
  element("backward").hidden = !element("page").textContent;
};

const showLegend = () => {
  const squares = (colour, name, which) => {
    const shape = ["<circle cx='6' cy='6' r='5'/>", "<rect x='1.5' y='1.5' width='9' height='9'/>", "<path d='M6 0 11 10H1Z'/>"][which % 3];
    const item = text("li", ` ${name}`);
    const svg = new DOMParser().parseFromString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 12 12" fill="${colour}">${shape}</svg>`, "image/svg+xml").documentElement;
    item.prepend(svg);
    return item;
  };
  const items = [];
  if (picture instanceof Plane && data.labels.length) {
    data.labels.forEach((label, i) => {
      const which = picture.marker(label);
      items.push(squares(COLOURS[which % COLOURS.length], data.classes[i], which));
    });
  } else if (picture instanceof Plane) items.push(squares(COLOURS[0], "large", 0), squares(COLOURS[1], "small", 1));
  if (data.test && !(picture instanceof Pictures || picture instanceof Confusion)) items.push(text("li", "hollow: test samples"));
  element("legend").replaceChildren(...items);
};

// --- weights ----------------------------------------------------------------------------------------------------------

const parameter = () => Number(element("parameter").value);

const showGradient = () => {
  element("gradient").textContent = training.last ? format(training.last.gradient[parameter()]) : "–";
  if (document.activeElement !== element("number")) element("number").value = exactly(training.theta[parameter()]);
};

const setWeight = (number) => {
  training.set(parameter(), number);
  training.measured.train = training.evaluate(training.train);
  if (training.test) training.measured.test = training.evaluate(training.test);
  update();
};

const choose = (i) => {
  element("parameter").value = i;
  if (network) network.chosen = i;
  draw();
};

const hovered = (event) => {
  const box = element("neurons").getBoundingClientRect();
  return network.find(event.clientX - box.left, event.clientY - box.top);
};

element("neurons").addEventListener("pointermove", (event) => {
  const [found, tip] = [network && hovered(event), element("tip")];
  tip.hidden = !found;
  if (!found) return;
  const gradient = training.last ? `, gradient ${format(training.last.gradient[found.parameter])}` : "";
  tip.textContent = `${found.what} ${data.names[found.parameter]}: ${format(training.theta[found.parameter])}${gradient}`;
  const width = element("neurons").clientWidth;
  tip.style.left = `${Math.max(0, Math.min(event.offsetX + 12, width - 180))}px`;
  tip.style.top = `${event.offsetY + 14}px`;
});
element("neurons").addEventListener("pointerleave", () => (element("tip").hidden = true));
element("neurons").addEventListener("click", (event) => {
  const found = network && hovered(event);
  if (!found) return;
  choose(found.parameter);
  element("number").focus();
  element("number").select();
});
element("picture").addEventListener("click", (event) => {
  if (!(picture instanceof Plane)) return;
  state.chosen = picture.nearest(event.offsetX, event.offsetY, element("picture"));
  update();
});

// --- the backward pass of one sample ----------------------------------------------------------------------------------

const opened = async () => {
  const bytes = Uint8Array.from(atob(element("page").textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const document_ = await new Response(stream).text();
  const [, start_, json, end] = document_.match(/^(.*<script type="application\/json" id="data">)(.*?)(<\/script>.*)$/s);
  const shown = JSON.parse(json);
  const sample = shownSample();
  const theta = training.last?.before ?? training.theta; // the words are about these weights, too
  const numbers = new Map(data.names.map((name, i) => [name, theta[i]]));
  data.columns.forEach((name, i) => numbers.set(name, data.train.X[sample][i]));
  [data.train.y[sample]].flat().forEach((y, i, all) => numbers.set(all.length > 1 ? `target${i}` : "target", y));
  for (const node of shown.nodes) if (node.op === null && numbers.has(node.name)) node.data = numbers.get(node.name);
  shown.recompute = true;
  const frame_ = document.createElement("iframe");
  frame_.title = `The backward pass of sample ${sample}`;
  frame_.sandbox = "allow-scripts";
  frame_.srcdoc = start_ + JSON.stringify(shown).replaceAll("<", "\\u003c") + end;
  element("dialog").querySelector("div").replaceChildren(frame_);
  element("dialog").showModal();
};

element("backward").addEventListener("click", () => {
  play(false);
  opened();
});
element("close").addEventListener("click", () => element("dialog").close());

// --- buttons and keys -------------------------------------------------------------------------------------------------

element("play").addEventListener("click", () => play(!state.playing));
element("step").addEventListener("click", oneStep);
element("reset").addEventListener("click", reset);
element("go-back").addEventListener("click", () => {
  training.goBack();
  training.measure();
  update();
});
element("optimizer").addEventListener("change", ({ target }) => {
  settings.optimizer = target.selectedIndex;
  training.forget();
});
element("parameter").addEventListener("change", () => choose(parameter()));
element("theme").addEventListener("click", () => {
  setTheme(isDark() ? "light" : "dark");
});
window.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, button, dialog, a") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " ") play(!state.playing);
  else if (event.key === "ArrowRight") oneStep();
  else return;
  event.preventDefault();
});
window.addEventListener("resize", draw);
const recolour = () => {
  if (!network && !picture) return;
  ramps = new Ramps();
  draw();
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
new MutationObserver(recolour).observe(document.documentElement, { attributeFilter: ["data-theme"] });
start();
