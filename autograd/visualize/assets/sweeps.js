// Orders of the backward pass: the topological one, and the plain depth-first recursion that many write first.

const MOST_VISITS = 2000; // of the recursion, which goes down every path: there can be exponentially many

// A node passes its gradient on once, when all that use it have passed on theirs.
const topological = (graph) => {
  const order = [];
  const seen = new Set();
  const stack = [graph.output];
  while (stack.length > 0) {
    const i = stack.pop();
    if (i < 0) {
      order.push(~i);
    } else if (!seen.has(i) && !graph.isLeaf(i)) {
      seen.add(i);
      stack.push(~i, ...graph.reachedFrom(i).reverse());
    }
  }
  return order.reverse();
};

// backward(v): pass v's gradient on to its operands, then call backward(operand) for each. Wrong where a node is shared:
// it passes on what it has so far each time that it is reached.
const depthFirst = (graph) => {
  const order = [];
  const stack = [graph.output];
  while (stack.length > 0 && order.length < MOST_VISITS) {
    const i = stack.pop();
    if (graph.isLeaf(i)) continue;
    order.push(i);
    stack.push(...graph.reachedFrom(i).reverse());
  }
  return order;
};

// The gradients of all nodes after the output's own, 1, and so many visits; undefined where none has arrived.
const gradientsAfter = (graph, visits, count) => {
  const grads = new Array(graph.nodes.length).fill(undefined);
  if (count < 0) return grads;
  grads[graph.output] = 1;
  for (const i of visits.slice(0, count)) {
    for (const { parent, product } of graph.contributions(i, grads[i])) {
      grads[parent] = grads[parent] === undefined ? product : grads[parent] + product;
    }
  }
  return grads;
};
