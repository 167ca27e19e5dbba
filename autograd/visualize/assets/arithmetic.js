// What the table's JavaScript and exported code call beside Math: the functions of ieee.py, the error function, and C's pow,
// which Math.pow is but for 1 and -1.

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

const copysign = (x, y) => (Object.is(Math.sign(y), -0) || y < 0 ? -Math.abs(x) : Math.abs(x));

// (1 + 2x) e^(x²) erfc(x) for x of 0.5 to 28, as a Chebyshev series in 17/13 (x - 3.75) / (x + 3.75), as Shepherd and
// Laframboise (1981) have one.
const ERFC = [
  2.4412686363784943, -0.06211979403531574, -0.02354646353886491, 0.018211102410792768, -0.00709570360446853,
  0.0020027221742623448, -0.00043605688568457547, 7.251826307125243e-05, -8.456099404182893e-06,
  4.628016706096576e-07, 4.87231259551725e-08, -1.2760696695032705e-08, 6.274771662239319e-10,
  1.5038728666601032e-10, -2.3038947416364064e-11, -1.1405937179194505e-12, 5.029340213804315e-13,
  -1.227169698796059e-15, -1.027773066412279e-14, 3.148205388498985e-16, 2.19867260654873e-16,
  -9.539401503137978e-18,
];

const erfcAbove = (x) => {
  const s = (17 / 13) * ((x - 3.75) / (x + 3.75));
  let [sum, before] = [0, 0];
  for (let i = ERFC.length - 1; i > 0; i--) [sum, before] = [2 * s * sum - before + ERFC[i], sum];
  const root = gaussian(x);
  return ((root * (s * sum - before + ERFC[0] / 2)) / (1 + 2 * x)) * root;
};

const erf = (x) => {
  if (Math.abs(x) >= 0.5) return copysign(1 - erfc(Math.abs(x)), x);
  let [sum, power] = [x, x];
  for (let n = 1; n < 14; n++) {
    power *= (-x * x) / n;
    sum += power / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};

const erfc = (x) => {
  if (!(Math.abs(x) >= 0.5)) return 1 - erf(x);
  if (x < 0) return 2 - erfc(-x);
  return x > 28 ? 0 : erfcAbove(x);
};
