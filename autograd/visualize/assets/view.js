// The window onto the drawing: pan, zoom, follow. Its state is the point in the middle and the pixels a unit.

const READABLE = 1; // pixels a unit: the letters of the drawing are 11 units high
const LARGEST = 2; // of a small drawing that is shown whole
const MARGIN = { side: 8, foot: 48 }; // pixels around it, with room for the buttons at its foot

class View {
  constructor(svg, frame) {
    this.svg = svg;
    this.frame = frame;
    const { width, height } = svg.viewBox.baseVal;
    this.whole = { width, height };
    this.changed = () => {};
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    new ResizeObserver(() => this.resized()).observe(frame);
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.drag(event));
  }

  get size() {
    return { width: this.frame.clientWidth || 1, height: this.frame.clientHeight || 1 };
  }

  get fitting() {
    const { width, height } = this.size;
    const room = { width: width - 2 * MARGIN.side, height: height - MARGIN.side - MARGIN.foot };
    return Math.min(LARGEST, room.width / this.whole.width, room.height / this.whole.height);
  }

  // The part of the drawing that is in sight.
  get box() {
    const { width, height } = this.size;
    const [w, h] = [width / this.scale, height / this.scale];
    return { x: this.middle.x - w / 2, y: this.middle.y - h / 2, width: w, height: h };
  }

  show(middle, scale = this.scale, isWhole = false) {
    Object.assign(this, { middle, scale, isWhole, home: null });
    this.draw();
  }

  // Brings a box to the middle, or as near to it as the window stays full.
  center(box, scale = this.scale) {
    const margin = { x: MARGIN.side, y: MARGIN.foot };
    const along = (axis, size) => {
      const [half, edge] = [this.size[size] / scale / 2, margin[axis] / scale];
      const [least, most] = [half - edge, this.whole[size] - half + edge];
      return least > most ? this.whole[size] / 2 : Math.max(least, Math.min(most, box[axis] + box[size] / 2));
    };
    this.show({ x: along("x", "width"), y: along("y", "height") }, scale);
  }

  draw() {
    const { x, y, width, height } = this.box;
    this.svg.setAttribute("viewBox", [x, y, width, height].join(" "));
    this.changed();
  }

  fit() {
    const scale = this.fitting;
    const lower = (MARGIN.foot - MARGIN.side) / 2 / scale;
    this.show({ x: this.whole.width / 2, y: this.whole.height / 2 + lower }, scale, true);
  }

  // The whole drawing if it can be read then, else what is around a box of it.
  open(box) {
    if (this.fitting >= 0.85 * READABLE) this.fit();
    else this.center(box, READABLE);
    this.home = box; // until the window is moved: a notebook gives the frame its size late
  }

  resized() {
    if (this.home !== null) this.open(this.home);
    else if (this.isWhole) this.fit();
    else this.draw();
  }

  // The point of the drawing at a point of the screen.
  point({ clientX, clientY }) {
    const { left, top } = this.frame.getBoundingClientRect();
    return { x: this.box.x + (clientX - left) / this.scale, y: this.box.y + (clientY - top) / this.scale };
  }

  // Factors above 1 zoom in; the given point stays where it is.
  zoom(factor, at = this.middle) {
    const scale = this.scale * factor;
    if (scale > 50 * READABLE || scale < Math.min(this.fitting, READABLE) / 4) return;
    this.show({ x: at.x + (this.middle.x - at.x) / factor, y: at.y + (this.middle.y - at.y) / factor }, scale);
  }

  // The wheel belongs to the page around, unless Ctrl is held (a pinch on a touchpad comes so) or the graph was clicked.
  wheel(event) {
    const isOurs = document.hasFocus() && this.frame.contains(document.activeElement);
    this.frame.classList.toggle("passed-by", !event.ctrlKey && !event.metaKey && !isOurs);
    if (this.frame.classList.contains("passed-by")) return;
    event.preventDefault();
    this.zoom(Math.exp(-Math.max(-100, Math.min(100, event.deltaY)) / 400), this.point(event));
  }

  drag(event) {
    if (event.button !== 0 || event.target.closest("button, #map")) return;
    this.frame.classList.remove("passed-by");
    if (!event.target.closest("[tabindex='0'], [tabindex='-1']:not(#graph)")) this.frame.focus({ preventScroll: true });
    let last = event;
    const move = (now) => {
      const [x, y] = [now.clientX - last.clientX, now.clientY - last.clientY];
      last = now;
      this.show({ x: this.middle.x - x / this.scale, y: this.middle.y - y / this.scale });
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

  // Moves the window if a box of the drawing is not well within it, or lies under the map or the buttons.
  follow(box) {
    if (this.isWhole) return;
    const { left, top } = this.frame.getBoundingClientRect();
    const over = [...this.frame.children].slice(1).map((child) => child.getBoundingClientRect());
    const [x, y] = [(box.x - this.box.x) * this.scale + left, (box.y - this.box.y) * this.scale + top];
    const [right, bottom] = [x + box.width * this.scale, y + box.height * this.scale];
    const isCovered = over.some((r) => r.width > 0 && x < r.right && r.left < right && y < r.bottom && r.top < bottom);
    const { width, height } = this.size;
    const isInside = x >= left + MARGIN.side && right <= left + width - MARGIN.side && y >= top + MARGIN.side && bottom <= top + height - MARGIN.side;
    if (!isInside || isCovered) this.center(box);
  }
}
