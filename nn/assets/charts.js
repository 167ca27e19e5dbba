// Pictures of what has been learnt, one for each kind of problem, and the curve of the loss.

const GRID = 40; // places of the plane along each side

const extent = (numbers) => {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const margin = 0.1 * (high - low || 1);
  return [low - margin, high + margin];
};

// What one sample's target is as a class, and what scores are taken for.
const classOf = (data, target) => data.labels.indexOf(target);
const chosenClass = (data, scores) => {
  if (scores.length === 1) return scores[0] > 0 ? data.labels.length - 1 : 0;
  return scores.indexOf(Math.max(...scores));
};

// Two features: the plane, coloured by what the network says there, and the samples.
class Plane {
  constructor(data) {
    this.data = data;
    this.title = data.labels.length ? "Decision boundary" : "Prediction over the two features";
    this.samples = [data.train, data.test].filter(Boolean);
    const X = this.samples.flatMap((samples) => samples.X);
    this.extents = [0, 1].map((axis) => extent(X.map((x) => x[axis])));
    this.points = new Float64Array(2 * GRID * GRID);
    for (let i = 0; i < GRID * GRID; i++) {
      const [column, row] = [i % GRID, GRID - 1 - Math.floor(i / GRID)];
      [column, row].forEach((place, axis) => {
        const [low, high] = this.extents[axis];
        this.points[2 * i + axis] = low + ((high - low) * (place + 0.5)) / GRID;
      });
    }
    this.tile = new Tile(GRID, GRID);
    if (!data.labels.length) this.range = extent(this.samples.flatMap((samples) => samples.y));
  }

  // An input over the plane, around its middle.
  axis(i) {
    const [low, high] = this.extents[i];
    return this.points.filter((_, k) => k % 2 === i).map((x) => x - (low + high) / 2);
  }

  draw(canvas, { scores, ramps, chosen }) {
    const { context, width, height } = cleared(canvas);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.tile.paint((i) => this.colour(scores, i, ramps)), 0, 0, width, height);
    this.samples.forEach(({ X, y }, which) =>
      X.forEach((x, i) => {
        const [px, py] = this.place(x, width, height);
        const target = this.data.labels.length ? this.marker(y[i]) : y[i] > (this.range[0] + this.range[1]) / 2 ? 0 : 1;
        marker(context, target, px, py, which === 0 && i === chosen ? 6 : 3.2, which === 1);
      }),
    );
  }

  // The marker, and the colour, of a class: of two, positive scores have the colour of positive weights.
  marker(target) {
    return this.data.labels.length === 2 ? 1 - classOf(this.data, target) : classOf(this.data, target);
  }

  place([x, y], width, height) {
    const [[left, right], [low, high]] = this.extents;
    return [((x - left) / (right - left)) * width, (1 - (y - low) / (high - low)) * height];
  }

  colour(scores, i, ramps) {
    if (!this.data.labels.length) {
      const [low, high] = this.range;
      return ramps.signed((2 * (scores[0][i] - low)) / (high - low) - 1);
    }
    if (scores.length === 1) return ramps.signed(Math.tanh(scores[0][i]));
    let [best, sum] = [0, 0];
    for (let c = 1; c < scores.length; c++) if (scores[c][i] > scores[best][i]) best = c;
    for (const score of scores) sum += Math.exp(score[i] - scores[best][i]);
    return ramps.ofClass(best, 1 / sum);
  }

  // The sample of the training nearest to a point of the canvas.
  nearest(x, y, { clientWidth, clientHeight }) {
    const distances = this.data.train.X.map((sample) => {
      const [px, py] = this.place(sample, clientWidth, clientHeight);
      return Math.hypot(px - x, py - y);
    });
    return distances.indexOf(Math.min(...distances));
  }
}

// Samples that are pictures, with what they are taken for; wrong ones are crossed out.
class Pictures {
  constructor(data) {
    this.data = data;
    this.title = `What ${data.test ? "test samples" : "samples"} are taken for`;
    this.samples = data.test ?? data.train;
    this.shown = this.samples.X.slice(0, 30);
    const most = Math.max(...this.samples.X.flat());
    this.tiles = this.shown.map((x) => {
      const tile = new Tile(data.image[1], data.image[0]);
      const grey = (i) => Math.round(255 * (1 - Math.max(0, x[i] / most)));
      tile.paint((i) => 0xff000000 | (grey(i) << 16) | (grey(i) << 8) | grey(i));
      return tile;
    });
  }

  draw(canvas, { found }) {
    const { context, width } = cleared(canvas);
    const columns = 6;
    const cell = width / columns;
    const side = cell * 0.62;
    context.textAlign = "center";
    context.imageSmoothingEnabled = false;
    this.tiles.forEach((tile, i) => {
      const [x, y] = [(i % columns) * cell + (cell - side) / 2, Math.floor(i / columns) * cell + 2];
      context.drawImage(tile.canvas, x, y, side, side);
      const taken = chosenClass(this.data, found.scores.map((score) => score[i]));
      const right = this.data.labels[taken] === this.samples.y[i];
      context.fillStyle = right ? page.ink : page.wrong;
      context.fillText(`${this.data.classes[taken]}${right ? "" : " ✗"}`, x + side / 2, y + side + 13);
    });
  }
}

// Other classes: how many samples of each are taken for which.
class Confusion {
  constructor(data) {
    this.data = data;
    this.title = `Target (rows) and prediction (columns), ${data.test ? "test" : "training"} samples`;
    this.samples = data.test ?? data.train;
  }

  draw(canvas, { found, ramps }) {
    const { context, width } = cleared(canvas);
    const n = this.data.classes.length;
    const counts = Array.from({ length: n }, () => Array(n).fill(0));
    this.samples.y.forEach((y, i) => counts[classOf(this.data, y)][chosenClass(this.data, found.scores.map((s) => s[i]))]++);
    const [side, cell] = [70, (width - 72) / n];
    context.textBaseline = "middle";
    context.textAlign = "center";
    this.data.classes.forEach((name, i) => {
      context.fillStyle = page.ink;
      context.textAlign = "right";
      context.fillText(name, side - 6, 20 + (i + 0.5) * cell, side - 8);
      context.textAlign = "center";
      context.fillText(name, side + (i + 0.5) * cell, 10, cell - 2);
      const total = counts[i].reduce((sum, x) => sum + x, 0) || 1;
      counts[i].forEach((count, k) => {
        context.globalAlpha = 0.75 * (count / total);
        context.fillStyle = i === k ? page.positive : page.negative;
        context.fillRect(side + k * cell + 1, 20 + i * cell + 1, cell - 2, cell - 2);
        context.globalAlpha = 1;
        context.fillStyle = page.ink;
        context.fillText(count, side + (k + 0.5) * cell, 20 + (i + 0.5) * cell);
      });
    });
  }
}

// Numbers to predict: prediction against target, right on the diagonal.
class Scatter {
  constructor(data) {
    this.data = data;
    this.title = "Prediction against target";
    this.range = extent([data.train, data.test].filter(Boolean).flatMap((samples) => samples.y.flat()));
  }

  draw(canvas, { measured }) {
    const { context, width, height } = cleared(canvas);
    const [low, high] = this.range;
    const across = (x) => 8 + ((width - 16) * (x - low)) / (high - low);
    const up = (y) => height - 8 - ((height - 16) * (y - low)) / (high - low);
    context.strokeStyle = page.faint;
    context.beginPath();
    context.moveTo(across(low), up(low));
    context.lineTo(across(high), up(high));
    context.stroke();
    [[this.data.train, measured.train], [this.data.test, measured.test]].forEach(([samples, found], which) => {
      samples?.y.forEach((y, i) =>
        [y].flat().forEach((target, k) => marker(context, 0, across(target), up(found.found.scores[k][i]), 3, which === 1)),
      );
    });
    context.fillStyle = page.faint;
    context.textAlign = "right";
    context.fillText("target", width - 4, height - 4);
    context.textAlign = "left";
    context.fillText("prediction", 4, 14);
  }
}

const pictureOf = (data) => {
  if (data.train.X[0].length === 2 && !Array.isArray(data.train.y[0])) return new Plane(data);
  if (!data.labels.length) return new Scatter(data);
  return data.image ? new Pictures(data) : new Confusion(data);
};

// Losses on a scale of tens, since they fall by factors.
const drawCurve = (canvas, curve) => {
  const { context, width, height } = cleared(canvas);
  const series = ["train", "test"].map((key) => curve.map((point) => point[key]));
  const positive = series.flat().filter((x) => x > 0 && Number.isFinite(x));
  if (!positive.length) return;
  const most = Math.max(...positive);
  const [low, high] = [Math.max(Math.min(...positive), most / 1e4), most].map(Math.log); // four tens are enough to see
  const last = curve[curve.length - 1].step || 1;
  const across = (step) => 56 + ((width - 62) * step) / last;
  const up = (x) => 8 + (height - 26) * (high > low ? (high - Math.log(Math.max(x, Number.MIN_VALUE))) / (high - low) : 0.5);
  context.strokeStyle = context.fillStyle = page.ink;
  context.lineWidth = 1.6;
  series.forEach((values, which) => {
    context.setLineDash(which ? [4, 3] : []);
    context.beginPath();
    let drawn = false;
    values.forEach((x, i) => {
      if (!Number.isFinite(x)) return;
      const point = [across(curve[i].step), Math.min(up(x), height - 18)];
      drawn ? context.lineTo(...point) : context.moveTo(...point);
      drawn = true;
    });
    context.stroke();
  });
  context.setLineDash([]);
  context.fillStyle = page.faint;
  context.textAlign = "right";
  const short = numberFormat(2);
  context.fillText(short(Math.exp(high)), 52, 14);
  if (high > low) context.fillText(short(Math.exp(low)), 52, height - 16);
  context.fillText(`step ${last}`, width - 4, height - 3);
};
