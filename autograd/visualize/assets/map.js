// A map in the corner: where in the drawing the window is; a press moves it there.

const MAP = { width: 168, height: 112, least: 14, share: 0.3 }; // pixels, and the most of the window

class Overview {
  constructor(svg, view, boxes) {
    this.svg = svg;
    this.view = view;
    this.boxes = boxes;
    this.marked = null;
    view.changed = () => this.update();
    new ResizeObserver(() => this.draw()).observe(view.frame);
    const move = (event) => {
      const { left, top } = svg.getBoundingClientRect();
      view.show({ x: (event.clientX - left) / this.scale.x, y: (event.clientY - top) / this.scale.y });
    };
    svg.addEventListener("pointerdown", (event) => {
      svg.setPointerCapture(event.pointerId);
      move(event);
    });
    svg.addEventListener("pointermove", (event) => {
      if (svg.hasPointerCapture(event.pointerId)) move(event);
    });
  }

  // The whole drawing in little. A long one would be a line: its short side gets a few pixels all the same.
  draw() {
    const { width, height } = this.view.whole;
    const { size: window } = this.view;
    const scale = Math.min(
      Math.min(MAP.width, window.width * MAP.share) / width, Math.min(MAP.height, window.height * MAP.share) / height,
    );
    const size = { width: Math.max(width * scale, MAP.least), height: Math.max(height * scale, MAP.least) };
    this.scale = { x: size.width / width, y: size.height / height };
    for (const [name, value] of Object.entries(size)) this.svg.setAttribute(name, value);
    this.nodes = this.boxes().map((box) => box && this.rectangle(box, 1));
    this.window = this.rectangle(this.view.box, 6);
    this.window.classList.add("window");
    this.svg.replaceChildren(...this.nodes.filter(Boolean), this.window);
    this.mark(this.marked);
    this.update();
  }

  rectangle(box, least) {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    this.place(shape, box, least);
    return shape;
  }

  place(shape, box, least) {
    const [width, height] = [box.width * this.scale.x, box.height * this.scale.y].map((x) => Math.max(x, least));
    const [x, y] = [(box.x + box.width / 2) * this.scale.x - width / 2, (box.y + box.height / 2) * this.scale.y - height / 2];
    Object.entries({ x, y, width, height }).forEach(([name, value]) => shape.setAttribute(name, value));
  }

  mark(i) {
    this.svg.querySelector(".current")?.classList.remove("current");
    this.marked = i;
    if (i !== null) this.nodes[i]?.classList.add("current");
  }

  update() {
    if (this.window === undefined) return;
    this.svg.style.display = this.view.isWhole ? "none" : "";
    this.place(this.window, this.view.box, 6);
  }
}
