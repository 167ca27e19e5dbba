// The expression graph: its numbers, and its gradients after any number of steps of the backward pass.

class Graph {
  // nodes: parents before children; operations: forward and partials by name
  constructor({ nodes, output }, operations) {
    this.nodes = nodes.map((node) => ({
      ...node,
      data: Number(node.data),
      partials: node.partials.map((p) => (p === null ? null : Number(p))),
      operands: node.operands.map((x) => (Number.isInteger(x) ? { node: x } : { number: Number(x.number) })),
    }));
    this.output = output;
    this.operations = operations;
    this.forward = this.nodes.map((_, i) => i).filter((i) => this.nodes[i].op !== null);
    this.backward = this.reached();
    this.first = this.nodes.map((node) => ({ data: node.data, partials: node.partials }));
  }

  isLeaf(i) {
    return this.nodes[i].op === null;
  }

  leaves() {
    return this.nodes.map((_, i) => i).filter((i) => this.isLeaf(i));
  }

  number(operand) {
    return "node" in operand ? this.nodes[operand.node].data : operand.number;
  }

  // A leaf gets another number, and everything follows.
  set(leaf, data) {
    this.nodes[leaf].data = data;
    for (const i of this.forward) {
      const node = this.nodes[i];
      const operands = node.operands.map((x) => this.number(x));
      const { forward, partials } = this.operations[node.op];
      node.data = Number(forward(...operands));
      node.partials = partials(node.data, ...operands).map((p, k) => ("number" in node.operands[k] ? null : p));
    }
    this.backward = this.reached();
  }

  reset() {
    this.nodes.forEach((node, i) => Object.assign(node, this.first[i]));
    this.backward = this.reached();
  }

  // The results of operations that a derivative reaches, in the order of the backward pass: children before parents.
  reached() {
    const order = [];
    const seen = new Set();
    const stack = [this.output];
    while (stack.length > 0) {
      const i = stack.pop();
      if (i < 0) {
        order.unshift(~i);
      } else if (!seen.has(i) && !this.isLeaf(i)) {
        seen.add(i);
        const { operands, partials } = this.nodes[i];
        stack.push(~i, ...operands.filter((_, k) => partials[k] !== null).map((x) => x.node).reverse());
      }
    }
    return order;
  }

  // The gradients after so many steps of the backward pass, the first of which is d output / d output = 1.
  gradients(steps = Infinity) {
    const grads = new Array(this.nodes.length).fill(undefined);
    if (steps < 1) return grads;
    grads[this.output] = 1;
    for (const i of this.backward.slice(0, Math.max(steps - 1, 0))) {
      for (const { parent, product } of this.contributions(i, grads[i])) {
        grads[parent] = grads[parent] === undefined ? product : grads[parent] + product;
      }
    }
    return grads;
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
