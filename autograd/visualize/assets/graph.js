// The expression graph: its numbers, its local derivatives, and how both follow when a leaf gets another number.

class Graph {
  // nodes: parents before children; operations: forward and partials by name
  // recompute: whether only the leaves have the numbers that they are to have
  constructor({ nodes, output, recompute }, operations) {
    this.nodes = nodes.map((node) => ({
      ...node,
      data: Number(node.data),
      partials: node.partials.map((p) => (p === null ? null : Number(p))),
      operands: node.operands.map((x) => (Number.isInteger(x) ? { node: x } : { number: Number(x.number) })),
    }));
    this.output = output;
    this.operations = operations;
    this.all = this.nodes.map((_, i) => i);
    this.leaves = this.all.filter((i) => this.isLeaf(i));
    this.results = this.all.filter((i) => !this.isLeaf(i));
    if (recompute) this.recompute();
    this.first = this.nodes.map((node) => ({ data: node.data, partials: node.partials }));
  }

  isLeaf(i) {
    return this.nodes[i].op === null;
  }

  number(operand) {
    return "node" in operand ? this.nodes[operand.node].data : operand.number;
  }

  isEdited(i) {
    return !Object.is(this.nodes[i].data, this.first[i].data);
  }

  // A leaf gets another number, and everything follows.
  set(leaf, data) {
    this.nodes[leaf].data = data;
    this.recompute();
  }

  recompute() {
    for (const i of this.results) {
      const node = this.nodes[i];
      const operands = node.operands.map((x) => this.number(x));
      const { forward, partials } = this.operations[node.op];
      node.data = Number(forward(...operands));
      node.partials = partials(node.data, ...operands).map((p, k) => ("number" in node.operands[k] ? null : p));
    }
  }

  reset() {
    this.nodes.forEach((node, i) => Object.assign(node, this.first[i]));
  }

  // The operands that a derivative reaches from a node, as often as they occur.
  reachedFrom(i) {
    const { operands, partials } = this.nodes[i];
    return operands.filter((_, k) => partials[k] !== null).map((x) => x.node);
  }

  // What a node whose gradient is known adds to the gradients of its operands.
  contributions(i, adjoint) {
    const { operands, partials } = this.nodes[i];
    return operands.flatMap((operand, position) => {
      const partial = partials[position];
      if (partial === null) return [];
      return [{ parent: operand.node, position, partial, product: adjoint * partial }];
    });
  }
}
