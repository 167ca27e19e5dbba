// Python's random.Random: the Mersenne Twister of Matsumoto and Nishimura (1998), so that a seed means the same here.

class Random {
  constructor(seed) {
    const state = new Uint32Array(624);
    state[0] = 19650218;
    for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    let at = 1;
    const next = () => {
      at += 1;
      if (at < 624) return;
      state[0] = state[623];
      at = 1;
    };
    const mixed = (factor) => state[at] ^ Math.imul(state[at - 1] ^ (state[at - 1] >>> 30), factor);
    for (let k = 0; k < 624; k++, next()) state[at] = mixed(1664525) + seed;
    for (let k = 0; k < 623; k++, next()) state[at] = mixed(1566083941) - at;
    state[0] = 0x80000000;
    this.state = state;
    this.at = 624;
  }

  // 32 random bits.
  word() {
    const state = this.state;
    if (this.at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
        state[i] = state[(i + 397) % 624] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      this.at = 0;
    }
    let y = state[this.at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  // A whole number from 0 to n - 1, for n below 2^32.
  below(n) {
    const bits = 32 - Math.clz32(n);
    for (;;) {
      const drawn = this.word() >>> (32 - bits);
      if (drawn < n) return drawn;
    }
  }

  // 64 random bits.
  bits64() {
    const low = BigInt(this.word());
    return low | (BigInt(this.word()) << 32n);
  }

  shuffle(list) {
    for (let i = list.length - 1; i > 0; i--) {
      const k = this.below(i + 1);
      [list[i], list[k]] = [list[k], list[i]];
    }
  }
}

// What a model draws by nn.rand for each sample in one step: hashes of the run's key, the step, the sample and the count.

const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n;

const successor = (key, index) => {
  let z = (key + (BigInt(index) + 1n) * GOLDEN) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
};

const drawsOf = (key, step, samples, count) => {
  const ofStep = successor(key, step);
  const draws = new Float64Array(samples.length * count);
  samples.forEach((sample, i) => {
    const ofSample = successor(ofStep, sample);
    for (let k = 0; k < count; k++) draws[i * count + k] = Number(successor(ofSample, k) >> 11n) * 2 ** -53;
  });
  return draws;
};
