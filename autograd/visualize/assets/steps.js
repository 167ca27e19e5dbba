// The steps of the two passes, and the arithmetic of each as lines of text.

const numberFormat = (digits) => (x) => {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "−inf";
  if (x === 0) return "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const small = Number(exponent) >= -4 && Number(exponent) < digits;
  const trimmed = (s) => (s.includes(".") ? s.replace(/\.?0+$/, "") : s);
  const written = small
    ? trimmed(x.toFixed(Math.max(digits - 1 - Number(exponent), 0)))
    : `${trimmed(mantissa)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  return written.replace(/-/g, "−");
};

class Steps {
  constructor(graph, format) {
    this.graph = graph;
    this.format = format;
    this.forwardCount = graph.forward.length;
    this.order = new Map(graph.forward.map((node, i) => [node, i]));
  }

  get last() {
    return this.forwardCount + 1 + this.graph.backward.length;
  }

  // What happens at a step: which pass, and at which node.
  at(step) {
    const { forward, backward, output } = this.graph;
    if (step === 0) return { pass: "start", node: null };
    if (step <= this.forwardCount) return { pass: "forward", node: forward[step - 1] };
    if (step === this.forwardCount + 1) return { pass: "backward", node: output, seed: true };
    return { pass: "backward", node: backward[step - this.forwardCount - 2] };
  }

  isComputed(node, step) {
    return (this.order.get(node) ?? -1) < step;
  }

  gradients(step) {
    return this.graph.gradients(step - this.forwardCount);
  }

  name(i) {
    return this.graph.nodes[i].name;
  }

  // The lines of a step, each a list of texts and names: a name is {name}, so that it is shown as nothing but text.
  lines(step) {
    const { pass, node, seed } = this.at(step);
    const output = { name: this.name(this.graph.output) };
    if (pass === "start") return [["The leaves are known. Each step computes one node: first forward, then backward."]];
    if (pass === "forward") return [this.forwardLine(node)];
    if (seed) return [[output, ".grad = ∂", output, "/∂", output, " = 1"]];
    return this.backwardLines(node, this.gradients(step - 1));
  }

  forwardLine(i) {
    const node = this.graph.nodes[i];
    const names = node.formula.map((part) => (typeof part === "string" ? part : this.operandName(node.operands[part])));
    const numbers = node.formula.map((part, place) => (typeof part === "string" ? part : this.operandNumber(node, part, place)));
    return [{ name: node.name }, " = ", ...names, " = ", ...numbers, " = ", this.format(node.data)];
  }

  operandName(operand) {
    return "node" in operand ? { name: this.name(operand.node) } : this.format(operand.number);
  }

  // A negative number stands in parentheses behind an operator, and as the base of a power.
  operandNumber(node, position, place) {
    const written = this.format(this.graph.number(node.operands[position]));
    const tight = node.infix && (place > 1 || node.op === "pow/2");
    return tight && written.startsWith("−") ? `(${written})` : written;
  }

  backwardLines(i, grads) {
    const child = { name: this.name(i) };
    const soFar = [...grads];
    return this.graph.contributions(i, grads[i]).map(({ parent, partial, product }) => {
      const before = soFar[parent];
      soFar[parent] = before === undefined ? product : before + product;
      const total = before === undefined ? [] : [`, so far ${this.format(before)}, now ${this.format(soFar[parent])}`];
      const factors = [grads[i], partial].map((x) => this.format(x)).map((x) => (x.startsWith("−") ? `(${x})` : x));
      const name = { name: this.name(parent) };
      return [name, ".grad += ", child, ".grad · ∂", child, "/∂", name, ` = ${factors.join(" · ")} = ${this.format(product)}`, ...total];
    });
  }
}
