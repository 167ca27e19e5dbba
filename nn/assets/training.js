// The training: what fit does, step by step, by the programs that were compiled for this model.

// A loop, since `every` takes ten times as long, which a step feels.
const isFinite = (numbers) => {
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false;
  return true;
};

// base^t of a whole number t, in the same multiplications as in Python.
const power = (base, t) => {
  let result = 1;
  for (; t; t = Math.floor(t / 2), base *= base) if (t % 2) result *= base;
  return result;
};

const rowsOf = (X) => ({ length: X.length, width: [X[0]].flat().length, numbers: Float64Array.from(X.flat()) });

// Samples, and minibatches of them.
class Samples {
  constructor({ X, y }) {
    this.count = X.length;
    [this.X, this.y] = [X, y].map(rowsOf);
  }

  at(indices) {
    return [this.X, this.y].map(({ width, numbers }) => {
      const some = new Float64Array(indices.length * width);
      for (let i = 0; i < indices.length; i++)
        for (let k = 0; k < width; k++) some[i * width + k] = numbers[indices[i] * width + k];
      return some;
    });
  }

  features(i) {
    return this.X.numbers.subarray(i * this.X.width, (i + 1) * this.X.width);
  }
}

// What was compiled: of PROGRAMS the updates come last, one for each optimizer.
const loaded = async (data) => {
  const [step, evaluate, ...rest] = await Promise.all(Object.values(PROGRAMS).map((program) => program.load()));
  const respond = data.layers ? rest.shift() : null;
  return {
    step: (...args) => step.step(...args),
    evaluate: (...args) => evaluate.evaluate(...args),
    respond: (...args) => respond.respond(...args),
    updates: rest.map((update, i) => (...args) => update[`update${i}`](...args)),
  };
};

class Training {
  // programs: step, evaluate and updates; settings: rate, batch, seed, decay, and which optimizer
  constructor(data, programs, settings) {
    this.data = data;
    this.programs = programs;
    this.settings = settings;
    this.train = new Samples(data.train);
    this.test = data.test && new Samples(data.test);
    this.reset();
  }

  get optimizer() {
    return this.data.optimizers[this.settings.optimizer];
  }

  reset() {
    this.theta = Float64Array.from(this.data.theta);
    this.steps = this.epochs = 0;
    this.forget();
    this.random = new Random(this.settings.seed);
    this.key = new Random(this.settings.seed).bits64();
    this.queue = [];
    this.curve = [];
    this.last = this.diverged = null;
    this.measure();
  }

  // What the optimizer remembers of earlier steps.
  forget() {
    this.updates = 0;
    this.state = Array.from({ length: this.optimizer.slots }, () => new Float64Array(this.theta.length));
  }

  // The minibatches of one epoch, in the order that Python's generator draws.
  refill() {
    const order = Array.from({ length: this.train.count }, (_, i) => i);
    this.random.shuffle(order);
    for (let i = 0; i < order.length; i += this.settings.batch) this.queue.push(order.slice(i, i + this.settings.batch));
  }

  // One update by the next minibatch; false if the numbers are no longer finite, and nothing is updated then.
  step() {
    if (this.diverged) return false;
    if (!this.queue.length) this.refill();
    const indices = this.queue[0];
    const { draws: count } = this.data;
    const draws = count ? [drawsOf(this.key, this.steps, indices, count)] : [];
    const [loss, gradient] = this.programs.step(this.theta, ...this.train.at(indices), ...draws);
    if (!Number.isFinite(loss) || !isFinite(gradient)) return this.stop(loss);
    this.queue.shift();
    this.updates++;
    const powers = this.optimizer.bases.map((base) => power(base, this.updates));
    const { rate, decay, optimizer } = this.settings;
    const update = this.programs.updates[optimizer];
    const [theta, ...state] = update(this.theta, gradient, this.state, rate, decay, powers);
    for (const i of this.data.frozen) theta[i] = this.theta[i];
    this.last = { indices, loss, gradient, before: this.theta, after: theta };
    [this.theta, this.state] = [theta, state];
    this.steps++;
    if (!this.queue.length) {
      this.epochs++;
      this.measure();
    }
    return !this.diverged;
  }

  // Go no further: the step before has made numbers that are not finite.
  stop(loss) {
    this.diverged = { loss, step: this.steps, good: this.last?.before ?? Float64Array.from(this.data.theta) };
    return false;
  }

  // Back to the parameters before the last step, with what optimizers remember forgotten.
  goBack() {
    this.theta = this.diverged.good;
    this.diverged = null;
    this.forget();
  }

  set(parameter, number) {
    this.theta = this.theta.slice();
    this.theta[parameter] = number;
    this.diverged = null;
  }

  evaluate(samples) {
    const found = this.programs.evaluate(this.theta, samples.X.numbers, samples.y.numbers);
    const mean = (numbers) => numbers.reduce((sum, x) => sum + x, 0) / samples.count;
    return { loss: mean(found.loss), metric: mean(found.metric), found };
  }

  // What the network says at other points, whatever their targets are.
  scores(points) {
    const target = this.train.y.numbers.subarray(0, this.train.y.width);
    const y = Float64Array.from({ length: (points.length / this.train.X.width) * target.length }, (_, i) => target[i % target.length]);
    return this.programs.evaluate(this.theta, points, y).scores;
  }

  // The loss on all samples, for the curve.
  measure() {
    const [train, test] = [this.train, this.test].map((samples) => samples && this.evaluate(samples));
    this.measured = { train, test };
    if (!Number.isFinite(train.loss)) this.stop(train.loss);
    this.curve.push({ step: this.steps, train: train.loss, test: test?.loss });
    if (this.curve.length > 2000) this.curve = this.curve.filter((_, i) => i % 2 === 0 || i === this.curve.length - 1);
  }
}
