// A network of plain objects, one for each neuron and each weight, as the engine of the TensorFlow Playground is built:
// the control of the benchmark. Each sample goes forward and backward through the objects; a batch ends with an update.

const relu = { output: (x) => Math.max(0, x), derivative: (x) => (x <= 0 ? 0 : 1) };
const linear = { output: (x) => x, derivative: () => 1 };
const hinge = { loss: (score, target) => Math.max(0, 1 - target * score), derivative: (score, target) => (1 - target * score > 0 ? -target : 0) };

class Weight {
  constructor(from, to, number) {
    Object.assign(this, { from, to, number, summed: 0, count: 0 });
  }
}

class Neuron {
  constructor(activation) {
    Object.assign(this, { activation, inputs: [], outputs: [], bias: 0, total: 0, output: 0, byOutput: 0, byTotal: 0, summed: 0, count: 0 });
  }

  forward() {
    this.total = this.bias;
    for (const weight of this.inputs) this.total += weight.number * weight.from.output;
    this.output = this.activation.output(this.total);
  }
}

class ScalarEngine {
  // theta: parameters in the order of a Module: for each neuron its weights, then its bias
  constructor(sizes, theta) {
    this.layers = sizes.map((size, l) => Array.from({ length: size }, () => new Neuron(l === sizes.length - 1 ? linear : relu)));
    let next = 0;
    for (let l = 1; l < sizes.length; l++) {
      for (const neuron of this.layers[l]) {
        for (const from of this.layers[l - 1]) {
          const weight = new Weight(from, neuron, theta[next++]);
          neuron.inputs.push(weight);
          from.outputs.push(weight);
        }
        neuron.bias = theta[next++];
      }
    }
  }

  forward(x) {
    this.layers[0].forEach((neuron, i) => (neuron.output = x[i]));
    for (let l = 1; l < this.layers.length; l++) for (const neuron of this.layers[l]) neuron.forward();
    return this.layers.at(-1)[0].output;
  }

  backward(target) {
    const last = this.layers.at(-1)[0];
    last.byOutput = hinge.derivative(last.output, target);
    for (let l = this.layers.length - 1; l >= 1; l--) {
      for (const neuron of this.layers[l]) {
        neuron.byTotal = neuron.byOutput * neuron.activation.derivative(neuron.total);
        neuron.summed += neuron.byTotal;
        neuron.count++;
        for (const weight of neuron.inputs) {
          weight.summed += neuron.byTotal * weight.from.output;
          weight.count++;
        }
      }
      if (l === 1) continue;
      for (const neuron of this.layers[l - 1]) {
        neuron.byOutput = 0;
        for (const weight of neuron.outputs) neuron.byOutput += weight.number * weight.to.byTotal;
      }
    }
  }

  update(rate) {
    for (let l = 1; l < this.layers.length; l++) {
      for (const neuron of this.layers[l]) {
        neuron.bias -= (rate * neuron.summed) / neuron.count;
        neuron.summed = neuron.count = 0;
        for (const weight of neuron.inputs) {
          weight.number -= (rate * weight.summed) / weight.count;
          weight.summed = weight.count = 0;
        }
      }
    }
  }

  step(samples, rate) {
    for (const [x, target] of samples) {
      this.forward(x);
      this.backward(target);
    }
    this.update(rate);
  }

  theta() {
    return this.layers.slice(1).flatMap((layer) => layer.flatMap((neuron) => [...neuron.inputs.map((weight) => weight.number), neuron.bias]));
  }
}
