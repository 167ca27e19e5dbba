// The page: what the controls do, and what each step shows. Text from labels only ever becomes textContent.

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("data").textContent);
const format = numberFormat(page.digits);
const graph = new Graph(page, operations);
const steps = new Steps(graph, format);
const svg = element("graph").querySelector("svg");
const drawing = new Drawing(svg, graph, format);
const view = new View(svg, element("graph"));
const map = new Overview(element("map"), view, () => drawing.boxes);
const decisions = new Decisions(page.decisions, graph, steps);
const folds = new Folds(drawing, () => {
  view.whole = folds.size;
  view.open(drawing.boxes[graph.output]);
  map.draw();
  show(step);
});
let step = 0;
let timer = null;
let inspected = graph.output;

// Appends texts, and names as elements of their own, in which right-to-left letters reorder nothing around them.
const append = (parent, parts) => {
  for (const part of parts) {
    const node = document.createElement(typeof part === "string" ? "span" : "bdi");
    node.textContent = typeof part === "string" ? part : part.name;
    parent.append(node);
  }
  return parent;
};

const paragraph = (parts, tag = "p") => append(document.createElement(tag), parts);

const show = (to) => {
  step = Math.max(0, Math.min(steps.last, to));
  const { pass, node } = steps.at(step);
  const grads = steps.gradients(step);
  const wrong = step === steps.last ? wrongNodes() : new Set();
  drawing.show({ isComputed: (i) => steps.isComputed(i, step), grads, wrong });
  drawing.highlight(node, pass);
  folds.show(node);
  map.mark(node);
  if (step > 0 || to < 0) view.follow(drawing.boxes[node ?? graph.output]);
  inspect(node ?? graph.output);
  fields.show(grads, format);
  compare();
  element("lines").replaceChildren(...steps.lines(step).map((line) => paragraph(line)));
  element("slider").max = steps.last;
  element("slider").value = step;
  element("slider").setAttribute("aria-valuetext", `step ${step} of ${steps.last}, ${pass}`);
  element("position").textContent = `${step} of ${steps.last}${pass === "start" ? "" : ` · ${pass}`}`;
  const output = graph.nodes[graph.output];
  const isKnown = decisions.flipped().length === 0;
  element("result").replaceChildren(paragraph([{ name: output.name }, ` = ${isKnown ? format(output.data) : "unknown"}`], "span"));
  element("decisions").replaceChildren(...decisions.lines().map(({ line, isFlipped }) => {
    const shown = paragraph(line);
    shown.classList.toggle("wrong", isFlipped);
    return shown;
  }));
  if (step === steps.last) stop();
};

// Everything about one node, its numbers unrounded, as far as the step has come.
const inspect = (i) => {
  inspected = i;
  const node = graph.nodes[i];
  const grads = steps.gradients(step);
  const isComputed = steps.isComputed(i, step);
  const shown = [
    paragraph([{ name: node.name }, node.op === null ? ", a leaf" : `, by ${node.op.split("/")[0]}`], "h3"),
    paragraph([isComputed ? `data ${exactly(node.data)}` : "data: not computed yet"]),
    paragraph([grads[i] === undefined ? "grad: the backward pass has not come here yet" : `grad ${exactly(grads[i])}`]),
  ];
  if (node.op !== null && isComputed) {
    shown.push(paragraph(steps.forwardLine(i)));
    if (node.op === "where/3") shown.push(paragraph(decisions.branch(node)));
    graph.contributions(i, 1).forEach(({ parent, partial }) => {
      shown.push(paragraph(["∂", { name: node.name }, "/∂", { name: steps.name(parent) }, ` = ${format(partial)}`]));
    });
  }
  element("details").replaceChildren(...shown);
};

const play = () => {
  if (step === steps.last) show(0);
  timer = setInterval(() => show(step + 1), 800);
  element("play").textContent = "❚❚ Pause";
  element("play").setAttribute("aria-pressed", "true");
};

const stop = () => {
  clearInterval(timer);
  timer = null;
  element("play").textContent = "▶ Play";
  element("play").setAttribute("aria-pressed", "false");
};

const go = (to) => {
  stop();
  show(to);
};

// --- what if ---

const edited = () => {
  steps.update();
  element("reset").hidden = !graph.leaves.some((i) => graph.isEdited(i));
  show(step);
};

const fields = new LeafFields(graph, element("leaves"), page.editable, (i, number) => {
  graph.set(i, number);
  edited();
});

// --- the wrong order beside the right one ---

const isShared = (i) => steps.orders.topological.filter((k) => graph.reachedFrom(k).includes(i)).length > 1;

// Where the recursion ends with another gradient.
const wrongNodes = () => {
  if (!steps.recursive) return new Set();
  const [right, recursion] = steps.results();
  return new Set(graph.all.filter((i) => Math.abs(right[i] - recursion[i]) > 1e-9 * Math.abs(right[i])));
};

// Both orders at the same step: the leaves, and the nodes that several others use.
const compare = () => {
  element("comparison").hidden = !steps.recursive;
  if (!steps.recursive) return;
  const [right, recursion] = Object.values(steps.orders).map((visits) => steps.gradients(step, visits));
  const wrong = wrongNodes();
  const shown = graph.all.filter((i) => !graph.nodes[i].hidden && (graph.isLeaf(i) || isShared(i)));
  const written = (grad) => (grad === undefined ? "" : format(grad));
  element("orders").replaceChildren(...shown.map((i) => {
    const row = document.createElement("tr");
    row.append(paragraph([{ name: graph.nodes[i].name }], "th"), paragraph([written(right[i])], "td"));
    const isWrong = step === steps.last && wrong.has(i);
    row.append(paragraph([`${isWrong ? "✗ " : ""}${written(recursion[i])}`], "td"));
    row.classList.toggle("wrong", isWrong);
    return row;
  }));
  const cut = steps.orders.recursion.length === MOST_VISITS ? ` It goes down every path: here it is cut off after ${MOST_VISITS} nodes.` : "";
  element("verdict").textContent = wrong.size === 0
    ? "Here both come to the same: no node is used by two others whose gradients it has to wait for."
    : `The recursion passes a shared node's gradient on before it is complete, and again for each use.${cut}`;
};

// --- wiring ---

const keys = {
  ArrowRight: () => go(step + 1), ArrowLeft: () => go(step - 1), Home: () => go(0), End: () => go(steps.last),
  " ": () => (timer === null ? play() : stop()),
  Escape: () => document.activeElement.blur(), // the wheel is for the page around again
  "+": () => view.zoom(1.25), "=": () => view.zoom(1.25), "-": () => view.zoom(0.8), 0: () => view.fit(),
};

// Within the graph arrows go from node to node, Enter to the field of a leaf.
const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const keysOfNode = (event, i) => {
  if (event.key in ARROWS) drawing.focus(drawing.neighbour(i, ARROWS[event.key]));
  else if (event.key === "Enter" || event.key === " ") toField(i);
  else return false;
  return true;
};

const toField = (i) => {
  if (page.editable && graph.isLeaf(i)) element(`leaf${i}`).select();
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input[type=text]");
  const using = event.key === " " ? "button, input[type=radio]" : event.key.startsWith("Arrow") ? "input[type=radio]" : ":not(*)";
  if (typing || event.target.matches(using) || event.ctrlKey || event.metaKey || event.altKey) return;
  const focused = drawing.focused();
  if (focused >= 0 && keysOfNode(event, focused)) event.preventDefault();
  else if (event.key in keys) {
    event.preventDefault();
    keys[event.key]();
  }
});

const clicks = {
  first: keys.Home, back: keys.ArrowLeft, play: keys[" "], forward: keys.ArrowRight, last: keys.End,
  "zoom-in": keys["+"], "zoom-out": keys["-"], "zoom-fit": keys[0],
  reset: () => {
    graph.reset();
    fields.fill();
    edited();
  },
  fold: () => folds.fold(folds.innermost, true),
  unfold: () => folds.fold(folds.clusters, false),
  theme: () => setTheme(isDark() ? "light" : "dark"),
};
for (const [id, action] of Object.entries(clicks)) element(id).addEventListener("click", action);

drawing.nodes.forEach((node, i) => {
  if (node === null) return;
  node.group.addEventListener("pointerenter", () => inspect(i));
  node.group.addEventListener("focus", () => {
    inspect(i);
    view.follow(drawing.boxes[i]);
  });
  node.group.addEventListener("click", () => drawing.focus(i));
  node.group.addEventListener("dblclick", () => toField(i));
});

element("slider").addEventListener("input", (event) => go(Number(event.target.value)));
for (const order of ["topological", "recursion"]) {
  element(order).addEventListener("change", () => {
    steps.recursive = element("recursion").checked;
    go(Math.min(step, steps.forward.length));
  });
}
element("editing").textContent = page.editable ? `Type another number for a leaf.${decisions.advice}` : `Editing is off: ${page.reason}.`;
element("fold").hidden = element("unfold").hidden = folds.clusters.length === 0;
if (folds.clusters.length > 0 && view.fitting < 0.85 * READABLE) {
  folds.fold(folds.innermost, true);
  if (view.fitting < 0.6 * READABLE) folds.fold(folds.outermost, true);
}
view.open(drawing.boxes[graph.output]);
map.draw();
show(0);
