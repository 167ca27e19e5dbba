// What the table's JavaScript calls beside Math: the functions of ieee.py, and C's pow, which Math.pow is but for 1 and -1.

const pow = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y));

const sigmoid = (x) => {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
};

const logit = (x) => (x > 0.3 && x < 0.65 ? 2 * Math.atanh(2 * x - 1) : Math.log(x / (1 - x)));

const mod = (x, y) => {
  const left = x % y;
  if (left === 0) return y < 0 ? -0 : 0;
  return left < 0 !== y < 0 ? left + y : left;
};

const roundToEven = (x) => {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
};

const silu = (x) => {
  const e = Math.exp(-0.5 * Math.abs(x));
  const share = 1 / (1 + e * e);
  return x < 0 ? x * e * (e * share) : x * share;
};

const gaussian = (x) => {
  if (Math.abs(x) > 64) return 0;
  const head = x * 134217729 - (x * 134217729 - x);
  const most = Math.exp(-0.5 * head * head);
  return most + most * Math.expm1(-0.5 * (x - head) * (x + head));
};

const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const logsumexp = (...xs) => {
  const shift = Math.max(...xs);
  if (Math.abs(shift) === Infinity) return shift;
  const others = xs.reduce((sum, x) => sum + (x === shift ? 0 : Math.exp(x - shift)), 0);
  return shift + Math.log1p(others + (xs.filter((x) => x === shift).length - 1));
};
