// Colours, told apart with any colour vision (Okabe and Ito, 2008), and canvases that are sharp on every screen.

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a", "#332288"];
const LEVELS = 64;

const rgbOf = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// The colours of the page by their names in its style sheet, as they are now.
let page = {};
const readColours = () => {
  const probe = document.body.appendChild(document.createElement("i"));
  for (const name of ["paper", "panel", "ink", "faint", "wrong", "positive", "negative"]) {
    probe.style.color = `var(--${name})`;
    page[name] = getComputedStyle(probe).color;
  }
  probe.remove();
};

// From paper to a colour in so many levels, as pixels of an image.
const ramp = (colour) =>
  Uint32Array.from({ length: LEVELS + 1 }, (_, level) => {
    const from = page.paper.match(/\d+/g).map(Number);
    const [r, g, b] = rgbOf(colour).map((x, i) => Math.round(from[i] + (x - from[i]) * 0.6 * (level / LEVELS)));
    return 0xff000000 | (b << 16) | (g << 8) | r;
  });

const level = (t) => Math.min(LEVELS, Math.round(LEVELS * Math.abs(t))) || 0;

class Ramps {
  constructor() {
    readColours();
    this.ramps = COLOURS.map(ramp);
  }

  // Of a number from -1 to 1.
  signed(t) {
    return this.ramps[t > 0 ? 0 : 1][level(t)];
  }

  ofClass(i, share) {
    return this.ramps[i % COLOURS.length][level(share)];
  }
}

// A canvas in CSS pixels, empty.
const cleared = (canvas) => {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, sans-serif";
  return { context, width, height };
};

// A square picture of a number at each place of a grid, to be drawn in any size; colour: of the place, a pixel.
class Tile {
  constructor(columns, rows) {
    this.canvas = document.createElement("canvas");
    [this.canvas.width, this.canvas.height] = [columns, rows];
    this.image = new ImageData(columns, rows);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  paint(colour) {
    for (let i = 0; i < this.pixels.length; i++) this.pixels[i] = colour(i);
    this.canvas.getContext("2d").putImageData(this.image, 0, 0);
    return this.canvas;
  }
}

// The marker of a class at a place; hollow for samples that are not trained on.
const marker = (context, which, x, y, size, hollow) => {
  context.beginPath();
  if (which % 3 === 0) context.arc(x, y, size, 0, 2 * Math.PI);
  else if (which % 3 === 1) context.rect(x - size * 0.9, y - size * 0.9, 1.8 * size, 1.8 * size);
  else {
    context.moveTo(x, y - 1.2 * size);
    context.lineTo(x + 1.1 * size, y + 0.8 * size);
    context.lineTo(x - 1.1 * size, y + 0.8 * size);
    context.closePath();
  }
  const colour = COLOURS[which % COLOURS.length];
  context.fillStyle = hollow ? "#ffffff" : colour;
  context.strokeStyle = hollow ? colour : "#ffffff";
  context.lineWidth = hollow ? 1.6 : 0.8;
  context.fill();
  context.stroke();
};
