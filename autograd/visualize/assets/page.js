// The page: what the controls do, and what each step shows. Text from labels only ever becomes textContent.

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("data").textContent);
const format = numberFormat(page.digits);
const graph = new Graph(page, operations);
const steps = new Steps(graph, format);
const svg = element("graph").querySelector("svg");
const view = new View(svg, element("graph"));
const grad = (i) => graph.gradients()[i] ?? 0;
let step = 0;
let timer = null;

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

// Only what changes is written: the browser lays out anew what is.
const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

const drawn = graph.nodes.map((_, i) => {
  const box = element(`v${i}`);
  const [data, grad] = [...box.querySelectorAll("text")].slice(-2);
  return { box, operation: element(`op${i}`), data, grad };
});

const show = (to) => {
  step = Math.max(0, Math.min(steps.last, to));
  const { pass, node } = steps.at(step);
  const grads = steps.gradients(step);
  svg.querySelectorAll(".current, .active").forEach((found) => found.classList.remove("current", "active"));
  svg.dataset.pass = pass;
  graph.nodes.forEach(({ data }, i) => {
    const computed = steps.isComputed(i, step);
    drawn[i].box.classList.toggle("waiting", !computed);
    drawn[i].operation?.classList.toggle("waiting", !computed);
    setText(drawn[i].data, computed ? `data ${format(data)}` : "data");
    setText(drawn[i].grad, grads[i] === undefined ? "grad" : `grad ${format(grads[i])}`);
  });
  if (node !== null) highlight(node, pass);
  details(node ?? graph.output);
  element("lines").replaceChildren(...steps.lines(step).map((line) => paragraph(line)));
  element("slider").value = step;
  element("position").textContent = `${step} of ${steps.last}${pass === "start" ? "" : ` · ${pass}`}`;
  const output = graph.nodes[graph.output];
  element("result").replaceChildren(paragraph([{ name: output.name }, ` = ${format(output.data)}`], "span"));
  if (step === steps.last) stop();
};

const highlight = (node, pass) => {
  drawn[node].box.classList.add("current");
  drawn[node].operation?.classList.add("current");
  element(`r${node}`)?.classList.add("active");
  graph.nodes[node].operands.forEach((operand, position) => {
    const flows = pass === "forward" || graph.nodes[node].partials[position] !== null;
    if (flows) element(`e${node}_${position}`)?.classList.add("active");
    if (flows && "node" in operand && pass === "backward") drawn[operand.node].box.classList.add("active");
  });
  view.reveal(drawn[node].box);
};

const details = (i) => {
  const node = graph.nodes[i];
  const known = steps.isComputed(i, step) && (steps.gradients(step)[i] ?? NaN) === grad(i);
  const shown = [
    paragraph([{ name: node.name }, node.op === null ? ", a leaf" : `, by ${node.op.split("/")[0]}`], "h3"),
    paragraph([`data ${node.data}`]),
    paragraph([`grad ${grad(i)}${known ? "" : " when all is done"}`]),
  ];
  if (node.op !== null) shown.push(paragraph(steps.forwardLine(i)));
  graph.contributions(i, grad(i)).forEach(({ parent, partial }) => {
    shown.push(paragraph(["∂", { name: node.name }, "/∂", { name: steps.name(parent) }, ` = ${format(partial)}`]));
  });
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

// --- what if: every leaf has a field for its number ---

const leafRow = (i) => {
  const row = document.createElement("label");
  const field = document.createElement("input");
  field.type = "number";
  field.step = "any";
  field.id = `leaf${i}`;
  field.disabled = !page.editable;
  field.addEventListener("input", () => {
    const typed = field.valueAsNumber;
    field.setAttribute("aria-invalid", String(Number.isNaN(typed)));
    if (!Number.isNaN(typed)) edit(() => graph.set(i, typed));
  });
  append(row, [{ name: graph.nodes[i].name }]);
  const gradient = document.createElement("output");
  gradient.id = `grad${i}`;
  row.append(field, gradient);
  return row;
};

const edit = (change) => {
  change();
  element("reset").hidden = graph.nodes.every((node, i) => Object.is(node.data, graph.first[i].data));
  element("slider").max = steps.last; // an edit may open or close a way for derivatives
  showGradients();
  show(step);
};

const showGradients = () => {
  const grads = graph.gradients();
  for (const i of graph.leaves()) element(`grad${i}`).textContent = `grad ${format(grads[i] ?? 0)}`;
};

const fillLeaves = () => {
  for (const i of graph.leaves()) element(`leaf${i}`).value = graph.nodes[i].data;
};

// --- wiring ---

const keys = {
  ArrowRight: () => go(step + 1), ArrowLeft: () => go(step - 1), Home: () => go(0), End: () => go(steps.last),
  " ": () => (timer === null ? play() : stop()),
  "+": () => view.zoom(0.8), "=": () => view.zoom(0.8), "-": () => view.zoom(1.25), 0: () => view.fit(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input[type=number]");
  const pressing = event.key === " " && event.target.matches("button");
  if (typing || pressing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
});

const clicks = {
  first: keys.Home, back: keys.ArrowLeft, play: keys[" "], forward: keys.ArrowRight, last: keys.End,
  "zoom-in": keys["+"], "zoom-out": keys["-"], "zoom-fit": keys[0],
  reset: () => edit(() => { graph.reset(); fillLeaves(); }),
  theme: () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  },
};
for (const [id, action] of Object.entries(clicks)) element(id).addEventListener("click", action);

svg.querySelectorAll("title").forEach((title) => title.remove()); // Graphviz's own: v0, v1, ...
graph.nodes.forEach(({ name, op }, i) => {
  const group = drawn[i].box;
  group.setAttribute("tabindex", "0");
  group.setAttribute("role", "button");
  group.setAttribute("aria-label", `${name}${op === null ? ", a leaf" : ""}`);
  for (const event of ["pointerenter", "focus"]) group.addEventListener(event, () => details(i));
  if (op !== null || !page.editable) return;
  const toField = () => element(`leaf${i}`).select();
  group.addEventListener("dblclick", toField);
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter") toField();
  });
});
element("editing").textContent = page.editable ? "Type another number for a leaf." : `Editing is off: ${page.reason}.`;
element("leaves").append(...graph.leaves().map(leafRow));
element("slider").max = steps.last;
element("slider").addEventListener("input", (event) => go(Number(event.target.value)));
fillLeaves();
showGradients();
show(0);
