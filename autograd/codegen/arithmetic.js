// What JavaScript calls beside Math: C's pow, which Math.pow is but for 1 and -1, rounding, the error function and gamma.

const pow = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : Math.pow(x, y));

const roundToEven = (x) => {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
};

const gaussian = (x) => {
  if (Math.abs(x) > 64) return 0;
  const head = x * 134217729 - (x * 134217729 - x);
  const most = Math.exp(-0.5 * head * head);
  return most + most * Math.expm1(-0.5 * (x - head) * (x + head));
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

// The coefficients of ln Γ(2 + z) = (1 - γ)z + Σ (-1)^k (ζ(k) - 1) z^k / k.
const LGAMMA = [
  0.42278433509846713, 0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986,
  0.0028905103307415234, -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939,
  9.945751278180853e-05, -4.492623673813314e-05, 2.050721277567069e-05, -9.439488275268397e-06,
  4.374866789907488e-06, -2.039215753801366e-06, 9.55141213040742e-07, -4.492469198764566e-07,
  2.1207184805554665e-07, -1.0043224823968099e-07, 4.7698101693639804e-08, -2.2711094608943164e-08,
  1.0838659214896955e-08, -5.183475041970047e-09, 2.4836745438024785e-09, -1.1921401405860912e-09,
  5.731367241678862e-10, -2.7595228851242334e-10,
];

// ln Γ(x) for x of 1.5 to 2.5.
const lgammaNear2 = (x) => (x - 2) * LGAMMA.reduceRight((sum, c) => sum * (x - 2) + c, 0);

// What Stirling's formula leaves of ln Γ(x), for x of 8 and above.
const stirlingRest = (x) => {
  const terms = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];
  return terms.reduceRight((sum, c) => sum / x / x + c, 0) / x;
};

const sinOfPi = (x) => {
  const turn = x % 2;
  const half = Math.abs(turn) > 1 ? turn - 2 * Math.sign(turn) : turn;
  return Math.sin(Math.PI * (Math.abs(half) > 0.5 ? Math.sign(half) - half : half));
};

const lgamma = (x) => {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x) || (x <= 0 && Number.isInteger(x))) return Infinity;
  if (Math.abs(x) < 1e-20) return -Math.log(Math.abs(x));
  if (x < 0.5) return Math.log(Math.PI / Math.abs(sinOfPi(x))) - lgamma(1 - x);
  if (x < 1.5) return lgammaNear2(x + 1) - Math.log(x);
  if (x >= 8) return (x - 0.5) * (Math.log(x) - 1) + (0.5 * Math.log(2 * Math.PI) - 0.5 + stirlingRest(x));
  let product = 1;
  for (; x > 2.5; x--) product *= x - 1;
  return Math.log(product) + lgammaNear2(x);
};

const tgamma = (x) => {
  if (x === 0) return 1 / x;
  if (x < 0 && (Number.isInteger(x) || x === -Infinity)) return NaN;
  if (x < 0.5) return Math.PI / (sinOfPi(x) * tgamma(1 - x));
  if (x < 1.5) return Math.exp(lgammaNear2(x + 1)) / x;
  if (x > 172) return Infinity;
  if (x >= 24) {
    const root = Math.pow(x, 0.5 * x - 0.25);
    return Math.sqrt(2 * Math.PI) * root * Math.exp(-x) * root * Math.exp(stirlingRest(x));
  }
  let product = 1;
  for (; x > 2.5; x--) product *= x - 1;
  return product * Math.exp(lgammaNear2(x));
};
