// Runs a WebAssembly module that the compiler wrote: lends it memory, puts numbers in, and takes results out.
class Machine {
  // layout: bytes of constant data and stack, entries of the function table, doubles of table, work and partials, and the
  // ways through the function: slots, constants, regions, outputs, verdicts. functions: what the module calls.
  constructor(module, layout, functions) {
    this.layout = layout;
    let end = layout.bytes / 8;
    const place = (doubles) => (end += Math.ceil(doubles / 8) * 8) - Math.ceil(doubles / 8) * 8;
    this.slots = layout.ways.map((way) => place(way.slots));
    [this.table, this.work, this.partials] = [layout.table, layout.work, layout.partials].map(place);
    this.free = end;
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((8 * end) / 65536) });
    this.look();
    layout.ways.forEach((way, w) => way.constants.forEach((slot, i) => (this.doubles[this.slots[w] + slot] = way.numbers[i])));
    const env = {
      ...functions,
      __linear_memory: this.memory,
      __stack_pointer: new WebAssembly.Global({ value: "i32", mutable: true }, layout.bytes),
      __indirect_function_table: new WebAssembly.Table({ initial: layout.functions, element: "anyfunc" }),
    };
    this.exports = new WebAssembly.Instance(module, { env }).exports;
  }

  look() {
    this.doubles = new Float64Array(this.memory.buffer);
    this.words = new Uint32Array(this.memory.buffer);
  }

  // Runs the first way whose branches these numbers take, and returns it.
  // inputs: slots and what goes there: [first, numbers], [[slot, ...], numbers] or [slot, number].
  // lanes: for each region, how many lanes it has, and its arrays, row by row.
  run(inputs, lanes) {
    let status = 1;
    if (Object.values(lanes).some(([n]) => n === 0)) throw new RangeError("an array has no rows");
    for (const [w, way] of this.layout.ways.entries()) {
      this.reserve(way, lanes);
      const slots = this.slots[w];
      for (const [slot, x] of inputs) {
        if (typeof x === "number") this.doubles[slots + slot] = x;
        else if (typeof slot === "number") this.doubles.set(x, slots + slot);
        else slot.forEach((s, i) => (this.doubles[slots + s] = x[i]));
      }
      this.enter(way, lanes);
      this.exports[`way${w}`](8 * slots, 8 * this.table, 8 * this.work, 8 * this.partials);
      status = this.status(way, slots);
      if (!status) {
        this.outputs = slots + way.outputs;
        return;
      }
      if (status !== 1) break;
    }
    throw new RangeError(this.layout.meaning[status]);
  }

  reserve(way, lanes) {
    let doubles = this.free;
    for (const { region, lengths, stacks } of way.regions) {
      for (const length of [...lengths, ...stacks]) doubles += (lanes[region][0] + 8) * length + 8;
    }
    const pages = Math.ceil((8 * doubles - this.memory.buffer.byteLength) / 65536);
    if (pages <= 0) return;
    this.memory.grow(pages);
    this.look();
  }

  // The table says how many lanes a region has, and where its arrays are and its results go.
  enter(way, lanes) {
    let end = this.free;
    this.stacksAt = {};
    for (const { region, entry, lengths, stacks } of way.regions) {
      const [n, ...arrays] = lanes[region];
      let word = 2 * (this.table + entry);
      const note = (x) => {
        this.words[word] = x;
        word += 2;
      };
      note(n);
      lengths.forEach((length, i) => {
        this.doubles.set(arrays[i], end);
        note(8 * end);
        end += n * length;
      });
      this.stacksAt[region] = stacks.map((size) => {
        note(8 * end);
        end += n * size;
        return [end - n * size, n];
      });
    }
  }

  // 0 if all held that this way takes for granted. Verdicts are [status, output, whether it is a truth value].
  status(way, slots) {
    if (!this.doubles[slots + way.trouble]) return 0;
    const failed = way.verdicts.filter(([, output, bit]) => {
      const x = this.doubles[slots + output];
      return bit ? !x : x !== Infinity;
    });
    return Math.min(...failed.map(([status]) => status));
  }

  // An array of shape before x n x after, row by row of its middle axis.
  byRow(array, before, n, after) {
    const rows = new Float64Array(array.length);
    for (let i = 0; i < before; i++)
      for (let row = 0; row < n; row++)
        for (let k = 0; k < after; k++) rows[(row * before + i) * after + k] = array[(i * n + row) * after + k];
    return rows;
  }

  number(output) {
    return this.doubles[this.outputs + output];
  }

  numbers(output, count) {
    return this.doubles.slice(this.outputs + output, this.outputs + output + count);
  }

  // Results of all lanes as an array in which `inner` elements come after the axis of the lanes.
  stacked(region, number, count, inner) {
    const [start, n] = this.stacksAt[region][number];
    const rows = this.doubles.slice(start, start + n * count);
    if (inner === count) return rows;
    const array = new Float64Array(count * n);
    for (let row = 0; row < n; row++)
      for (let e = 0; e < count; e++)
        array[(Math.floor(e / inner) * n + row) * inner + (e % inner)] = rows[row * count + e];
    return array;
  }
}
