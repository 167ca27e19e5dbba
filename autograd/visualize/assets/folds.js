// Layers and neurons, folded to a box with a name and opened by a click. What is folded leaves the room that it took: both
// axes are cut into what is shown, which keeps its size, and what lies between, which shrinks.

const FOLD = { width: 112, height: 56, line: 13 }; // units of the drawing, of a folded box and its lines
const BETWEEN = { x: 44, y: 10 }; // the most that is left of what is not shown
const RIM = { x: 8, y: 24 }; // around what is in an open box, with its title

const isWithin = (box, outer) => {
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  return x > outer.x && x < outer.x + outer.width && y > outer.y && y < outer.y + outer.height;
};

// A map of one axis from its start that keeps the given intervals and shrinks all between them to `most`.
const shrinking = (intervals, most, start) => {
  const kept = [];
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = kept[kept.length - 1];
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else kept.push([from, to]);
  }
  let place = start + Math.min(most, kept[0][0] - start);
  const pieces = kept.map(([from, to], i) => {
    if (i > 0) place += Math.min(most, from - kept[i - 1][1]);
    const piece = { from, to, place };
    place += to - from;
    return piece;
  });
  return (x) => {
    const i = pieces.findLastIndex(({ from }) => x >= from);
    if (i < 0) return pieces[0].place - Math.min(most, pieces[0].from - x);
    const { from, to, place: first } = pieces[i];
    const end = first + (to - from);
    if (x <= to) return first + (x - from);
    if (i === pieces.length - 1) return end + Math.min(most, x - to);
    const next = pieces[i + 1];
    return end + ((x - to) / (next.from - to)) * (next.place - end);
  };
};

class Folds {
  constructor(drawing, changed) {
    const { svg } = drawing;
    this.originals = drawing.boxes.map((box) => box && { ...box });
    const none = { x: 0, y: 0 };
    this.drawing = drawing;
    this.changed = changed;
    this.shapes = [...svg.querySelectorAll(".node")].map((group) => ({ group, box: boxOf(group, none) }));
    this.edges = [...svg.querySelectorAll(".edge path, .edge polygon")].map((shape) => {
      const name = shape.tagName === "path" ? "d" : "points";
      const written = shape.getAttribute(name);
      const points = numbersIn(written);
      const ends = [points.slice(0, 2), points.slice(-2)].map(([x, y]) => ({ x, y, width: 0, height: 0 }));
      return { shape, name, written, ends };
    });
    this.clusters = [...svg.querySelectorAll(".cluster")].map((group) => this.cluster(group, boxOf(group, none)));
    this.whole = { width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height };
  }

  cluster(group, box) {
    const [title] = group.querySelectorAll("text");
    const lines = ["data", "grad"].map(() => title.cloneNode());
    group.append(...lines);
    const inside = this.drawing.graph.results.filter((i) => this.drawing.boxes[i] && isWithin(this.original(i), box));
    const found = { group, box, title, lines, path: group.querySelector("path"), isFolded: false, output: inside[inside.length - 1] };
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "-1");
    group.addEventListener("click", () => this.fold([found], !found.isFolded));
    return found;
  }

  get innermost() {
    return this.clusters.filter((one) => !this.clusters.some((other) => other !== one && isWithin(other.box, one.box) && other.box.width < one.box.width));
  }

  get outermost() {
    return this.clusters.filter((one) => !this.clusters.some((other) => other !== one && isWithin(one.box, other.box) && one.box.width < other.box.width));
  }

  fold(clusters, isFolded) {
    clusters.forEach((cluster) => (cluster.isFolded = isFolded));
    this.apply();
    this.changed();
  }

  // The folded box that a node is in, or undefined.
  around(box) {
    return this.shown?.find((cluster) => isWithin(box, cluster.box));
  }

  apply() {
    const folded = this.clusters.filter((cluster) => cluster.isFolded);
    this.shown = folded.filter((one) => !folded.some((other) => other !== one && isWithin(one.box, other.box) && other.box.width > one.box.width));
    const open = this.clusters.filter((cluster) => !cluster.isFolded && !this.shown.some((other) => isWithin(cluster.box, other.box) && other.box.width > cluster.box.width));
    const free = this.shapes.filter(({ box }) => !this.around(box));
    const x = this.axis("x", "width", free, open);
    const y = this.axis("y", "height", free, open);
    const moved = (box) => ({ x: x(box.x), y: y(box.y), width: x(box.x + box.width) - x(box.x), height: y(box.y + box.height) - y(box.y) });
    this.shapes.forEach(({ group, box }) => {
      const [dx, dy] = [x(box.x + box.width / 2) - (box.x + box.width / 2), y(box.y + box.height / 2) - (box.y + box.height / 2)];
      group.setAttribute("transform", `translate(${dx} ${dy})`);
      group.style.display = this.around(box) ? "none" : "";
    });
    this.edges.forEach(({ shape, name, written, ends }) => {
      const around = ends.map((end) => this.around(end));
      const middles = ends.map((end, k) => moved(around[k]?.box ?? end)).map((box) => `${box.x + box.width / 2},${box.y + box.height / 2}`);
      const points = written.replace(/(-?[\d.]+),(-?[\d.]+)/g, (_, a, b) => `${x(Number(a))},${y(Number(b))}`);
      const isCut = around[0] !== undefined || around[1] !== undefined;
      shape.setAttribute(name, isCut && name === "d" ? `M${middles.join("L")}` : points); // a line under the folded box
      shape.style.display = isCut && (name === "points" || around[0] === around[1]) ? "none" : "";
    });
    this.clusters.forEach((cluster) => this.draw(cluster, moved(cluster.box), open.includes(cluster)));
    const { offset, boxes } = this.drawing;
    boxes.forEach((box, i) => {
      if (box === null) return;
      const own = this.original(i);
      const at = moved(this.around(own)?.box ?? own);
      Object.assign(box, { x: at.x + offset.x, y: at.y + offset.y, width: at.width, height: at.height });
    });
    this.size = { width: x(this.whole.width - offset.x) + offset.x, height: y(this.whole.height - offset.y) + offset.y };
  }

  axis(at, size, free, open) {
    if (this.shown.length === 0) return (x) => x;
    const intervals = [...free.map(({ box }) => [box[at], box[at] + box[size]])];
    for (const { box } of this.shown) {
      const [middle, half] = [box[at] + box[size] / 2, Math.min(FOLD[size], box[size]) / 2];
      intervals.push([middle - half, middle + half]);
    }
    for (const { box } of open) intervals.push([box[at], box[at] + RIM[at]], [box[at] + box[size] - RIM.x, box[at] + box[size]]);
    return shrinking(intervals, BETWEEN[at], -this.drawing.offset[at]);
  }

  draw({ group, path, title, lines, isFolded }, box, isOpen) {
    const isShown = isFolded && this.shown.some((cluster) => cluster.group === group);
    const { x, y, width, height } = isShown ? this.small(box) : box;
    group.style.display = isShown || isOpen ? "" : "none";
    group.classList.toggle("folded", isShown);
    path.setAttribute("d", `M${x},${y} h${width} v${height} h${-width} z`);
    [title, ...lines].forEach((text, i) => {
      text.setAttribute("text-anchor", "middle");
      text.setAttribute("x", x + width / 2);
      text.setAttribute("y", isShown ? y + height / 2 + (i - 0.7) * FOLD.line : y + FOLD.line);
      text.style.display = i > 0 && !isShown ? "none" : "";
    });
    if (isShown) group.parentElement.append(group); // over the edges that end in it
    else group.parentElement.prepend(group);
  }

  // A folded box, in the middle of what is left of its room.
  small(box) {
    const [width, height] = [Math.min(FOLD.width, box.width), Math.min(FOLD.height, box.height) - 6];
    return { x: box.x + (box.width - width) / 2, y: box.y + (box.height - height) / 2, width, height };
  }

  // What folded boxes show: the data and the gradient of what they give.
  show(i) {
    for (const { group, title, lines, output } of this.clusters) {
      group.classList.toggle("current", i !== null && this.shown?.some((c) => c.group === group && isWithin(this.original(i), c.box)));
      if (output === undefined) continue;
      const texts = [this.drawing.nodes[output].data, this.drawing.nodes[output].grad].map((text) => text.textContent);
      lines.forEach((line, k) => setText(line, texts[k]));
      group.setAttribute("aria-label", `${title.textContent} ${texts.join(" ")}`);
    }
  }

  // The box of a node before anything was folded, where Graphviz drew it.
  original(i) {
    return { ...this.originals[i], x: this.originals[i].x - this.drawing.offset.x, y: this.originals[i].y - this.drawing.offset.y };
  }
}
