// The network as neurons and edges: width and colour of an edge its weight, in a neuron its response to the plane, or how
// strongly it answers to one sample.

class Network {
  constructor(canvas, data) {
    this.canvas = canvas;
    this.names = data.names;
    this.columns = data.columns;
    this.layers = data.layers;
    this.sizes = [data.columns.length, ...data.layers.map((layer) => layer.biases.length)];
    this.tiles = data.layers.map((layer) => layer.biases.map(() => new Tile(GRID, GRID)));
    this.inputs = data.columns.map(() => new Tile(GRID, GRID));
  }

  // Where everything is: for each column of neurons x, and for each neuron y.
  arrange(width, height) {
    const [side, foot] = [this.columns.length > 12 ? 10 : 58, 8];
    const room = (height - 2 * foot) / Math.max(...this.sizes);
    this.size = Math.max(3, Math.min(34, room * 0.8, width / (2.5 * this.sizes.length)));
    const last = this.sizes.length - 1;
    this.at = this.sizes.map((n, column) => {
      const x = side + this.size / 2 + ((width - side - this.size - 12) * column) / last;
      const gap = Math.min((height - 2 * foot) / n, 2 * this.size);
      return Array.from({ length: n }, (_, i) => ({ x, y: height / 2 + (i - (n - 1) / 2) * gap }));
    });
  }

  // features: of one sample; responses: of all neurons in order, to that sample, or over the grid if there is a plane
  draw(theta, ramps, responses, features, plane) {
    const { context, width, height } = cleared(this.canvas);
    this.arrange(width, height);
    this.layers.forEach((layer, l) => this.drawEdges(context, layer, l, theta));
    let neuron = 0;
    this.at.forEach((column, c) => {
      const values = column.map((_, i) => (c ? responses[neuron + i] : plane ? plane.axis(i) : [features[i]]));
      if (c) neuron += column.length;
      const most = plane ? 0 : Math.max(...values.map((x) => Math.abs(x[0])), 1e-300);
      column.forEach((at, i) => this.drawNeuron(context, c, i, at, values[i], ramps, plane ? 0 : most));
    });
    if (this.columns.length > 12) return;
    context.fillStyle = page.ink;
    context.textAlign = "right";
    context.textBaseline = "middle";
    this.at[0].forEach(({ x, y }, i) => context.fillText(this.columns[i].slice(0, 9), x - this.size / 2 - 5, y, 50));
  }

  drawEdges(context, layer, l, theta) {
    let most = 1e-300;
    for (const row of layer.weights) for (const p of row) most = Math.max(most, Math.abs(theta[p]));
    for (const [to, row] of layer.weights.entries()) {
      for (const [from, p] of row.entries()) {
        const share = Math.abs(theta[p]) / most;
        if (share < 0.02) continue;
        const [a, b] = [this.at[l][from], this.at[l + 1][to]];
        const third = (b.x - a.x) / 3;
        context.beginPath();
        context.moveTo(a.x, a.y);
        context.bezierCurveTo(a.x + third, a.y, b.x - third, b.y, b.x, b.y);
        context.strokeStyle = theta[p] > 0 ? page.positive : page.negative;
        context.globalAlpha = 0.15 + 0.75 * share;
        context.lineWidth = p === this.chosen ? 6 : 0.4 + 3.6 * share * Math.min(1, this.size / 16);
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }

  drawNeuron(context, column, i, { x, y }, values, ramps, most) {
    const half = this.size / 2;
    context.fillStyle = page.panel;
    context.fillRect(x - half, y - half, 2 * half, 2 * half);
    if (most) {
      context.fillStyle = values[0] > 0 ? page.positive : page.negative;
      context.globalAlpha = Math.abs(values[0]) / most;
      context.fillRect(x - half, y - half, 2 * half, 2 * half);
      context.globalAlpha = 1;
    } else {
      let peak = 1e-300;
      for (const value of values) peak = Math.max(peak, Math.abs(value));
      const tile = column ? this.tiles[column - 1][i] : this.inputs[i];
      context.drawImage(tile.paint((k) => ramps.signed(values[k] / peak)), x - half, y - half, 2 * half, 2 * half);
    }
    context.strokeStyle = page.faint;
    context.lineWidth = 1;
    if (this.size > 5) context.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }

  // What is at a point: a parameter, with what it is; or null.
  find(x, y) {
    const half = this.size / 2 + 2;
    for (const [column, neurons] of this.at.entries()) {
      const i = neurons.findIndex((at) => Math.abs(at.x - x) <= half && Math.abs(at.y - y) <= half);
      if (i >= 0) return column ? { parameter: this.layers[column - 1].biases[i], what: "bias" } : null;
    }
    let best = { distance: 6, parameter: null };
    for (const [l, layer] of this.layers.entries()) {
      const [left, right] = [this.at[l][0].x, this.at[l + 1][0].x];
      const u = (x - left) / (right - left);
      if (u < 0 || u > 1) continue;
      const smooth = u * u * (3 - 2 * u);
      for (const [to, row] of layer.weights.entries()) {
        for (const [from, parameter] of row.entries()) {
          const [a, b] = [this.at[l][from].y, this.at[l + 1][to].y];
          const distance = Math.abs(a + (b - a) * smooth - y);
          if (distance < best.distance) best = { distance, parameter, what: "weight" };
        }
      }
    }
    return best.parameter === null ? null : best;
  }
}
