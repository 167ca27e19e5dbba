// The steps of the two passes, and the arithmetic of each as lines of text.

class Steps {
  constructor(graph, format) {
    this.graph = graph;
    this.format = format;
    this.forward = graph.results.filter((i) => !graph.nodes[i].hidden);
    this.place = new Map(this.forward.map((node, i) => [node, i]));
    this.recursive = false;
    this.update();
  }

  // An edit may open or close a way for derivatives.
  update() {
    this.orders = { topological: topological(this.graph), recursion: depthFirst(this.graph) };
  }

  get visits() {
    return this.recursive ? this.orders.recursion : this.orders.topological;
  }

  get last() {
    return this.forward.length + 1 + this.visits.length;
  }

  // How many nodes have passed their gradients on; -1 before the output has its own.
  passed(step) {
    return step - this.forward.length - 1;
  }

  // What happens at a step: which pass, and at which node.
  at(step) {
    const visit = this.passed(step) - 1;
    if (step === 0) return { pass: "start", node: null };
    if (step <= this.forward.length) return { pass: "forward", node: this.forward[step - 1] };
    if (visit < 0) return { pass: "backward", node: this.graph.output, seed: true };
    return { pass: "backward", node: this.visits[visit], visit };
  }

  isComputed(node, step) {
    return (this.place.get(node) ?? -1) < step;
  }

  // The gradients at a step: undefined where none has arrived yet, 0 at the end where none ever does.
  gradients(step, visits = this.visits) {
    const grads = gradientsAfter(this.graph, visits, this.passed(step));
    return step === this.last ? grads.map((grad) => grad ?? 0) : grads;
  }

  // The gradients that are right, and those of the recursion.
  results() {
    return Object.values(this.orders).map((visits) =>
      gradientsAfter(this.graph, visits, Infinity).map((grad) => grad ?? 0));
  }

  name(i) {
    return this.graph.nodes[i].name;
  }

  // The lines of a step, each a list of texts and names: a name is {name}, so that it is shown as nothing but text.
  lines(step) {
    const { pass, node, seed, visit } = this.at(step);
    const output = { name: this.name(this.graph.output) };
    if (pass === "start") return [["The leaves are known. Each step computes one node: first forward, then backward."]];
    if (pass === "forward") return [this.forwardLine(node)];
    if (seed) return [[output, ".grad = ∂", output, "/∂", output, " = 1"]];
    const lines = this.backwardLines(node, gradientsAfter(this.graph, this.visits, visit));
    return this.recursive ? [...lines, ...this.remarks(node, visit)] : lines;
  }

  formulaLine(i) {
    const node = this.graph.nodes[i];
    return node.formula.map((part) => (typeof part === "string" ? part : this.operandName(node.operands[part])));
  }

  forwardLine(i) {
    const node = this.graph.nodes[i];
    const names = this.formulaLine(i);
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
    const contributions = this.graph.contributions(i, grads[i]);
    if (contributions.length === 0) return [["No derivative flows from ", child, " to its operands here."]];
    return contributions.map(({ parent, partial, product }) => {
      const before = soFar[parent];
      soFar[parent] = before === undefined ? product : before + product;
      const total = before === undefined ? [] : [`, so far ${this.format(before)}, now ${this.format(soFar[parent])}`];
      const factors = [grads[i], partial].map((x) => this.format(x)).map((x) => (x.startsWith("−") ? `(${x})` : x));
      const name = { name: this.name(parent) };
      return [name, ".grad += ", child, ".grad · ∂", child, "/∂", name, ` = ${factors.join(" · ")} = ${this.format(product)}`, ...total];
    });
  }

  // What is wrong with a visit of the recursion.
  remarks(i, visit) {
    const name = { name: this.name(i) };
    const visits = this.orders.recursion;
    if (visits.indexOf(i) < visit) return [["✗ Again: ", name, " passes on all that it has so far, also what it has passed on before."]];
    const more = visits.slice(visit + 1).some((later) => this.graph.reachedFrom(later).includes(i));
    return more ? [["✗ Too early: ", name, ".grad is not complete, since another node that uses ", name, " comes later."]] : [];
  }
}
