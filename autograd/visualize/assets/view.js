// Pan and zoom: a window onto the SVG, kept in its viewBox.

class View {
  constructor(svg, frame) {
    this.svg = svg;
    this.frame = frame;
    const { x, y, width, height } = svg.viewBox.baseVal;
    this.whole = { x, y, width, height };
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    this.fit();
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.drag(event));
  }

  show(box) {
    this.box = box;
    this.isWhole = false;
    this.svg.setAttribute("viewBox", [box.x, box.y, box.width, box.height].join(" "));
  }

  // The whole drawing, but a small one no larger than twice its size.
  fit() {
    const { clientWidth, clientHeight } = this.frame;
    const width = Math.max(this.whole.width, clientWidth / 2);
    const height = Math.max(this.whole.height, clientHeight / 2);
    const middle = { x: this.whole.x + this.whole.width / 2, y: this.whole.y + this.whole.height / 2 };
    this.show({ x: middle.x - width / 2, y: middle.y - height / 2, width, height });
    this.isWhole = true;
  }

  // Units of the drawing a pixel of the screen, and where a point of the screen lies in the drawing.
  scale() {
    const { width, height } = this.svg.getBoundingClientRect();
    return Math.max(this.box.width / width, this.box.height / height);
  }

  point(event) {
    const { left, top, width, height } = this.svg.getBoundingClientRect();
    const scale = this.scale();
    return {
      x: this.box.x + this.box.width / 2 + (event.clientX - left - width / 2) * scale,
      y: this.box.y + this.box.height / 2 + (event.clientY - top - height / 2) * scale,
    };
  }

  // Factors below 1 zoom in; the given point stays where it is.
  zoom(factor, at = { x: this.box.x + this.box.width / 2, y: this.box.y + this.box.height / 2 }) {
    const width = this.box.width * factor;
    if (width < this.whole.width / 50 || width > this.whole.width * 4) return;
    this.show({
      x: at.x - (at.x - this.box.x) * factor,
      y: at.y - (at.y - this.box.y) * factor,
      width,
      height: this.box.height * factor,
    });
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) / 400), this.point(event));
  }

  drag(event) {
    if (event.button !== 0 || event.target.closest("button")) return;
    const start = { x: event.clientX, y: event.clientY, box: this.box };
    const move = ({ clientX, clientY }) => {
      const scale = this.scale();
      this.show({ ...this.box, x: start.box.x - (clientX - start.x) * scale, y: start.box.y - (clientY - start.y) * scale });
    };
    const stop = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", stop);
      window.removeEventListener("pointercancel", stop);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop);
    window.addEventListener("pointercancel", stop);
  }

  // Moves the window, if an element lies outside of it. Asking where it lies is slow, so not where all is in sight.
  reveal(element) {
    if (this.isWhole) return;
    const shape = element.getBoundingClientRect();
    const frame = this.frame.getBoundingClientRect();
    const inside =
      shape.left >= frame.left && shape.right <= frame.right && shape.top >= frame.top && shape.bottom <= frame.bottom;
    if (inside) return;
    const middle = this.point({ clientX: (shape.left + shape.right) / 2, clientY: (shape.top + shape.bottom) / 2 });
    this.show({ ...this.box, x: middle.x - this.box.width / 2, y: middle.y - this.box.height / 2 });
  }
}
