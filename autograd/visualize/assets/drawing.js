// The drawing that Graphviz made: the boxes of its nodes, what they show, and the way through them with the keyboard.

const numbersIn = (text) => (text.match(/-?\d+(\.\d+)?(e-?\d+)?/g) ?? []).map(Number);

// The corners of a shape of Graphviz's, or of a text without one.
const cornersOf = (shape) => {
  const at = (name) => Number(shape.getAttribute(name));
  if (shape.tagName === "ellipse") return [at("cx") - at("rx"), at("cy") - at("ry"), at("cx") + at("rx"), at("cy") + at("ry")];
  if (shape.tagName === "text") return [at("x"), at("y") - 9, at("x") + 6 * shape.textContent.length, at("y") + 3];
  return numbersIn(shape.getAttribute("d") ?? shape.getAttribute("points"));
};

// The box around the shapes of an element, in units of the drawing.
const boxOf = (element, offset) => {
  const corners = [...element.querySelectorAll("path, polygon, ellipse, text")].slice(0, 1).flatMap(cornersOf);
  const xs = corners.filter((_, i) => i % 2 === 0);
  const ys = corners.filter((_, i) => i % 2 === 1);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x: x + offset.x, y: y + offset.y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
};

// Only what changes is written: the browser lays out anew what is.
const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

class Drawing {
  constructor(svg, graph, format) {
    this.svg = svg;
    this.graph = graph;
    this.format = format;
    svg.querySelectorAll("title").forEach((title) => title.remove()); // Graphviz's own: v0, v1, ...
    const [, x, y] = svg.querySelector(".graph").getAttribute("transform").match(/translate\(([-\d.]+)[ ,]([-\d.]+)\)/);
    this.offset = { x: Number(x), y: Number(y) };
    this.nodes = graph.nodes.map((node, i) => (node.hidden ? null : this.node(i)));
    this.boxes = this.nodes.map((node) => node && boxOf(node.group, this.offset));
  }

  node(i) {
    const group = this.svg.getElementById(`v${i}`);
    const [data, grad] = [...group.querySelectorAll("text")].slice(-2);
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", i === this.graph.output ? "0" : "-1");
    return { group, data, grad, operation: this.svg.getElementById(`op${i}`) };
  }

  // What has been computed at a step: all nodes for which isComputed, and gradients.
  show({ isComputed, grads, wrong }) {
    this.nodes.forEach((node, i) => {
      if (node === null) return;
      const { name, data, op } = this.graph.nodes[i];
      const texts = [isComputed(i) ? `data ${this.format(data)}` : "data", grads[i] === undefined ? "grad" : `grad ${this.format(grads[i])}`];
      [node.group, node.operation].forEach((shape) => shape?.classList.toggle("waiting", !isComputed(i)));
      node.group.classList.toggle("wrong", wrong.has(i));
      setText(node.data, texts[0]);
      setText(node.grad, texts[1]);
      const label = `${name} ${texts.join(" ")}${op === null ? ", a leaf" : isComputed(i) ? "" : ", not computed yet"}`;
      if (node.group.getAttribute("aria-label") !== label) node.group.setAttribute("aria-label", label);
    });
  }

  // The node of a step and the edges that its numbers come along, or its gradient goes along.
  highlight(i, pass) {
    this.svg.querySelectorAll(".current, .active").forEach((found) => found.classList.remove("current", "active"));
    this.svg.dataset.pass = pass;
    if (i === null) return;
    const { operands, partials } = this.graph.nodes[i];
    this.nodes[i].group.classList.add("current");
    this.nodes[i].operation?.classList.add("current");
    this.svg.getElementById(`r${i}`)?.classList.add("active");
    operands.forEach((operand, position) => {
      const flows = pass === "forward" || partials[position] !== null;
      if (flows) this.svg.getElementById(`e${i}_${position}`)?.classList.add("active");
      if (flows && "node" in operand && pass === "backward") this.nodes[operand.node].group.classList.add("active");
    });
  }

  // The graph is one stop of the tab key; arrows go from there to the nearest node in their direction.
  focus(i) {
    this.nodes.forEach((node, k) => node?.group.setAttribute("tabindex", k === i ? "0" : "-1"));
    this.nodes[i].group.focus({ preventScroll: true });
  }

  focused() {
    return this.nodes.findIndex((node) => node?.group === document.activeElement);
  }

  neighbour(i, [right, down]) {
    const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
    const [x, y] = middle(this.boxes[i]);
    let [nearest, least] = [i, Infinity];
    this.boxes.forEach((box, k) => {
      if (box === null || k === i || this.nodes[k].group.style.display === "none") return;
      const [dx, dy] = [middle(box)[0] - x, middle(box)[1] - y];
      const [along, across] = [dx * right + dy * down, Math.abs(dx * down) + Math.abs(dy * right)];
      const distance = along + 2 * across;
      if (along > 1 && distance < least) [nearest, least] = [k, distance];
    });
    return nearest;
  }
}
