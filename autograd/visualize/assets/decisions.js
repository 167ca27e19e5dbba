// What Python's if and while decided while the graph was made, asked again with the numbers of now.

class Decisions {
  // decisions: null where they were not noted, since the page was given a Value and not a function.
  constructor(decisions, graph, steps) {
    this.all = decisions ?? [];
    this.graph = graph;
    this.steps = steps;
    this.advice = decisions === null ? " What an if or a comparison in Python decided stays as it was; page(f, ...) checks it." : "";
  }

  holds({ node }) {
    return this.graph.nodes[node].data !== 0;
  }

  flipped() {
    return this.all.filter((decision) => this.holds(decision) !== decision.taken);
  }

  lines() {
    return this.all.map((decision) => {
      const isFlipped = this.holds(decision) !== decision.taken;
      const start = [...this.steps.formulaLine(decision.node), ` (${decision.line}) was ${decision.taken}`];
      const end = isFlipped ? `, and is ${!decision.taken} now: the other branch is not in this graph, so the result is unknown.` : ": that branch is in the graph.";
      return { line: [isFlipped ? "✗ " : "", ...start, end], isFlipped };
    });
  }

  // Which side of a where was taken.
  branch({ operands }) {
    const [condition, ...sides] = operands;
    const taken = this.graph.number(condition) !== 0 ? 0 : 1;
    const how = "node" in condition ? "" : ", which Python decided: an edit does not change it";
    return [`the ${["first", "second"][taken]} branch is taken, `, this.steps.operandName(sides[taken]), how];
  }
}
