// The page: an editor, a thread that runs Python, and what it has to show.
import { examples } from "./examples.js";

const element = (id) => document.getElementById(id);
const [code, run, stop, status, output, example] = ["code", "run", "stop", "status", "output", "example"].map(element);
let worker, started;

function start() {
  worker?.terminate();
  run.disabled = stop.disabled = true;
  status.textContent = "Loading Python …";
  started = performance.now();
  worker = new Worker("worker.js", { type: "module" });
  worker.onmessage = ({ data }) => actions[data.kind](data.content);
  worker.onerror = (event) => actions.failed(event.message || "the thread did not start");
}

const actions = {
  ready() {
    status.textContent = `Ready after ${seconds()}`;
    run.disabled = stop.disabled = false;
    document.body.dataset.ready = "";
    if (!output.hasChildNodes()) runCode();
  },
  done(went) {
    status.textContent = went ? `Done in ${seconds()}` : "An error";
    run.disabled = false;
  },
  failed(reason) {
    show("pre", { className: "error", textContent: reason });
    status.textContent = "Python has stopped. “Start afresh” loads it again.";
    stop.disabled = false;
  },
  text(content) {
    const last = output.lastElementChild;
    if (last?.className === "text") last.textContent += content;
    else show("pre", { className: "text", textContent: content });
  },
  error: (content) => show("pre", { className: "error", textContent: content }),
  svg: (content) => show("img", { alt: spoken(content), src: `data:image/svg+xml,${encodeURIComponent(content)}` }),
  html(content) {
    const frame = show("iframe", { title: "Forward and backward pass" });
    frame.sandbox = "allow-scripts";
    frame.srcdoc = content;
  },
};

const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;

function show(tag, properties) {
  const shown = Object.assign(document.createElement(tag), properties);
  output.append(shown);
  return shown;
}

// What is written in a picture, for those who do not see it.
function spoken(svg) {
  const texts = new DOMParser().parseFromString(svg, "image/svg+xml").querySelectorAll("text");
  return `The graph of the expression: ${[...texts].map((text) => text.textContent.trim()).join(", ")}`;
}

function runCode() {
  if (run.disabled) return;
  output.replaceChildren();
  run.disabled = true;
  status.textContent = "Running …";
  started = performance.now();
  worker.postMessage(code.value);
}

for (const [title] of examples) example.append(new Option(title));
example.onchange = () => { code.value = examples[example.selectedIndex][1]; runCode(); };
code.value = examples[0][1];
run.onclick = runCode;
stop.onclick = () => { output.replaceChildren(); start(); };

let leaving = false;  // after Escape, Tab goes to the next element as elsewhere
code.onkeydown = (event) => {
  if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    runCode();
  } else if (event.key === "Tab" && !event.shiftKey && !leaving) {
    event.preventDefault();
    code.setRangeText("    ", code.selectionStart, code.selectionEnd, "end");
  }
  leaving = event.key === "Escape";
};

start();
navigator.serviceWorker?.register("offline.js");
