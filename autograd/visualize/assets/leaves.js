// What if: a field for the number of each leaf, with what is wrong with a text that is no number, and the way back.

class LeafFields {
  // edit(i, number) gives a leaf another number.
  constructor(graph, place, isEditable, edit) {
    this.graph = graph;
    this.edit = edit;
    this.rows = new Map(graph.leaves.map((i) => [i, this.row(i, isEditable)]));
    place.append(...[...this.rows.values()].map(({ row }) => row));
    this.fill();
  }

  row(i, isEditable) {
    const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);
    const { name } = this.graph.nodes[i];
    const label = make("label", { htmlFor: `leaf${i}`, className: name.length > 12 ? "long" : "" });
    append(label, [{ name }]);
    const field = make("input", { id: `leaf${i}`, type: "text", inputMode: "decimal", autocomplete: "off", spellcheck: false });
    const gradient = make("output", { id: `grad${i}`, htmlFor: `leaf${i}` });
    const reset = make("button", { type: "button", textContent: "↺", className: "reset", hidden: true });
    const message = make("p", { id: `wrong${i}`, className: "wrong" });
    message.setAttribute("aria-live", "polite");
    field.setAttribute("aria-describedby", message.id);
    reset.setAttribute("aria-label", `${name}: back to ${exactly(this.graph.first[i].data)}`);
    field.disabled = !isEditable;
    field.addEventListener("focus", () => (this.before = this.graph.nodes[i].data));
    field.addEventListener("input", () => this.typed(i));
    field.addEventListener("blur", () => {
      if (readNumber(field.value).wrong === undefined) field.value = exactly(this.graph.nodes[i].data);
    });
    reset.addEventListener("click", () => {
      this.set(i, this.graph.first[i].data);
      this.fill();
      field.focus();
    });
    const row = make("div", { className: "leaf" });
    row.append(label, field, reset, gradient, message);
    return { row, field, reset, gradient, message };
  }

  // While a text is no number, the leaf has the number that it had before the text was begun.
  typed(i) {
    const { field, message } = this.rows.get(i);
    const { number, wrong } = readNumber(field.value);
    field.setAttribute("aria-invalid", String(wrong !== undefined));
    this.set(i, number ?? this.before);
    message.textContent = wrong === undefined ? "" : `${wrong}. ${this.graph.nodes[i].name} is ${exactly(this.before)} as before.`;
    this.rows.get(i).reset.hidden = wrong === undefined && !this.graph.isEdited(i);
  }

  set(i, number) {
    if (!Object.is(number, this.graph.nodes[i].data)) this.edit(i, number);
  }

  fill() {
    this.rows.forEach(({ field, message, reset }, i) => {
      field.value = exactly(this.graph.nodes[i].data);
      field.setAttribute("aria-invalid", "false");
      message.textContent = "";
      reset.hidden = !this.graph.isEdited(i);
    });
  }

  // Gradients that have arrived; the others are not known yet.
  show(grads, format) {
    this.rows.forEach(({ gradient }, i) => setText(gradient, `grad ${grads[i] === undefined ? "?" : format(grads[i])}`));
  }
}
