// Numbers as people write them: one minus sign (−), one infinity (∞); and what they type, as numbers.

const signs = (written) => written.replace(/-/g, "−").replace("Infinity", "∞").replace("NaN", "nan");

const numberFormat = (digits) => (x) => {
  if (!Number.isFinite(x)) return signs(String(x));
  if (x === 0) return "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const small = Number(exponent) >= -4 && Number(exponent) < digits;
  const trimmed = (s) => (s.includes(".") ? s.replace(/\.?0+$/, "") : s);
  const written = small
    ? trimmed(x.toFixed(Math.max(digits - 1 - Number(exponent), 0)))
    : `${trimmed(mantissa)}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
  return signs(written);
};

// All digits that tell a number from its neighbours.
const exactly = (x) => signs(String(x));

const WORDS = { "∞": Infinity, inf: Infinity, infinity: Infinity, nan: NaN };

// What a text says: { number }, or { wrong }, a sentence about why it is no number.
const readNumber = (text) => {
  const plain = text.trim().replace(/−/g, "-").toLowerCase();
  const [, sign, word] = plain.match(/^([+-]?)(.*)$/s);
  if (word in WORDS) return { number: sign === "-" ? -WORDS[word] : WORDS[word] };
  if (plain === "") return { wrong: "The field is empty" };
  if (/^[+-]?\d+,\d+$/.test(plain)) return { wrong: `Write ${text.trim().replace(",", ".")}, with a point` };
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain)) return { wrong: `“${text.trim()}” is not a number` };
  const number = Number(plain);
  return Number.isFinite(number) ? { number } : { wrong: `${signs(text.trim())} is larger than any number, 1.8e308; write inf for ∞` };
};
