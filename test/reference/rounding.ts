/** Rounding to the floating types that JavaScript has no numbers of. */

/**
 * The nearest number with `digits` binary digits, ties to even; exponents from `least` on, and Infinity beyond
 * `largest`.
 */
function rounded(x: number, digits: number, least: number, largest: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), least);
  const unit = 2 ** (exponent - digits + 1);
  const scaled = Math.abs(x) / unit;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const nearest = (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor) * unit;
  return Math.sign(x) * (nearest > largest ? Infinity : nearest);
}

/** To bfloat16, by way of float32. */
export function toBfloat16(x: number): number {
  return rounded(Math.fround(x), 8, -126, 3.3895313892515355e38);
}
/** To float16, by way of float32. */
export function toFloat16(x: number): number {
  return rounded(Math.fround(x), 11, -14, 65504);
}
