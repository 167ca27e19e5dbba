// What the table's JavaScript calls beside Math: the functions of ieee.py, and C's pow, which Math.pow is but for 1 and -1.

const pow = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y));

const sigmoid = (x) => {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
};

const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const logsumexp = (...xs) => {
  const shift = Math.max(...xs);
  if (Math.abs(shift) === Infinity) return shift;
  return shift + Math.log(xs.reduce((sum, x) => sum + Math.exp(x - shift), 0));
};
