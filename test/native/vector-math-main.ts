/**
 * The program of vector-math.test.ts, run once for each SIMD level: measures every mathematical function over the whole
 * range of float32 (bit patterns at even distances, so that all exponents, subnormal numbers, infinities and NaN occur)
 * and at the points of the float64 fixture, and prints the worst distance from the true value in units in the last
 * place, with the place.
 */
import { readFileSync } from 'node:fs';
import * as nodegrad from '../../lib/index.js';
import { type Tensor, tensor } from '../../lib/index.js';
import { addon } from '../../lib/native/addon.js';

export interface Worst {
  readonly ulps: number;
  readonly at: string;
}
export interface Report {
  readonly level: string;
  readonly float32: Record<string, Worst>;
  readonly float64: Record<string, Worst>;
  /** Functions whose values depend on how the input lies in memory or on its length. */
  readonly byLayout: string[];
}

type Real = (x: number) => number;
type Call = (...inputs: Tensor[]) => Tensor;
const named = (name: string): Call => (nodegrad as unknown as Record<string, Call>)[name];

/** The float64 operator itself, where Math has no such function; the fixture vouches for it. */
const wide =
  (name: string): Real =>
  (x) =>
    named(name)(tensor([x], { dtype: 'float64' })).item() as number;
const EXACT: Readonly<Record<string, Real | null>> = {
  exp: Math.exp,
  exp2: (x) => 2 ** x,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  erf: null,
  erfc: null,
  sigmoid: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
};

/**
 * Distance in units in the last place of the exact value, in a format of `bits` significant bits and the least exponent
 * `low`.
 */
function distance(got: number, exact: number, bits: number, low: number, largest: number): number {
  if (Number.isNaN(exact) || Number.isNaN(got))
    return Number.isNaN(exact) && Number.isNaN(got) ? 0 : Number.POSITIVE_INFINITY;
  if (got === exact) return 0;
  // Beyond the largest number by less than a rounding error, either side of the edge is right.
  const clipped = Math.min(Math.max(exact, -largest), largest);
  const value = Number.isFinite(got) ? got : Math.sign(got) * largest;
  if (!Number.isFinite(got) && Math.abs(exact) < largest * (1 - 4 * 2 ** -bits)) return Number.POSITIVE_INFINITY;
  if (Number.isFinite(got) && Math.abs(exact) > largest * (1 + 4 * 2 ** -bits)) return Number.POSITIVE_INFINITY;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(clipped))), low);
  return Math.abs(value - clipped) / 2 ** (exponent - bits + 1);
}

function worstOf(
  xs: readonly (readonly number[])[],
  got: ArrayLike<number>,
  exact: (i: number) => number,
  single: boolean,
): Worst {
  let worst: Worst = { ulps: 0, at: '' };
  for (let i = 0; i < got.length; i++) {
    const ulps = single
      ? distance(got[i], exact(i), 24, -126, 3.4028234663852886e38)
      : distance(got[i], exact(i), 53, -1022, Number.MAX_VALUE);
    if (ulps > worst.ulps) worst = { ulps, at: `${xs.map((x) => x[i]).join(', ')}: ${got[i]}, exactly ${exact(i)}` };
  }
  return worst;
}

const STEP = 175_003;
const patterns = new Uint32Array(Math.floor(2 ** 32 / STEP)).map((_, i) => i * STEP);
const everywhere = [
  ...new Float32Array(patterns.buffer),
  0,
  -0,
  Infinity,
  -Infinity,
  Number.NaN,
  1e-45,
  -1e-45,
  3.4028234663852886e38,
  88.7228,
  -103.97,
  89.4159,
  2 ** 100,
].map(Math.fround);
const fixture = JSON.parse(readFileSync(new URL('../fixtures/vector-math.json', import.meta.url), 'utf8')) as Record<
  string,
  (number | string)[][]
>;

const float32: Record<string, Worst> = {};
const byLayout: string[] = [];
for (const [name, exact] of Object.entries(EXACT)) {
  const call = named(name);
  const x = tensor(everywhere);
  const got = call(x).toTypedArray() as Float32Array;
  const wideValues = exact === null ? (call(x.to('float64')).toTypedArray() as Float64Array) : null;
  float32[name] = worstOf(
    [everywhere],
    got,
    wideValues === null ? (i) => (exact ?? wide(name))(everywhere[i]) : (i) => wideValues[i],
    true,
  );

  // The same elements alone, in short runs at any alignment, and transposed: the same bits. (SLEEF takes another way to
  // reduce the arguments of sin, cos and tan where one lane of a register is beyond 125, so these are moderate.)
  const bits = (t: Tensor): string =>
    Buffer.from(new Float32Array(t.contiguous().toTypedArray() as Float32Array).buffer).toString('hex');
  const moderate = tensor(Array.from({ length: 9800 }, (_, i) => Math.sin(i * i) * (i % 2 === 0 ? 1 : 40)));
  const whole = call(moderate);
  for (let n = 1; n <= 37; n++) {
    if (bits(call(moderate.narrow(0, 100 + n, n))) !== bits(whole.narrow(0, 100 + n, n)))
      byLayout.push(`${name} of ${n} elements`);
  }
  if (bits(call(moderate.view(70, 140).t())) !== bits(whole.view(70, 140).t()))
    byLayout.push(`${name} of a transposed tensor`);
  if (bits(call(moderate.view(4900, 2).select(1, 1))) !== bits(whole.view(4900, 2).select(1, 1)))
    byLayout.push(`${name} of every second element`);
}

// The rest of a division is exact in either type, whatever the quotient; JavaScript's % is the same function.
const shuffled = everywhere.map((_, i) => everywhere[(i * 7919) % everywhere.length]);
float32.fmod = worstOf(
  [everywhere, shuffled],
  named('fmod')(tensor(everywhere), tensor(shuffled)).toTypedArray() as Float32Array,
  (i) => everywhere[i] % shuffled[i],
  true,
);

const float64: Record<string, Worst> = {};
for (const [name, rows] of Object.entries(fixture)) {
  const columns = rows[0].map((_, k) =>
    rows.map((row) => Number(row[k] === 'inf' ? Infinity : row[k] === '-inf' ? -Infinity : row[k])),
  );
  const inputs = columns.slice(0, -1);
  const exact = columns[columns.length - 1];
  const got = named(name)(...inputs.map((x) => tensor(x, { dtype: 'float64' }))).toTypedArray() as Float64Array;
  float64[name] = worstOf(inputs, got, (i) => exact[i], false);
}
const squares = everywhere.map((x) => x ** 7);
float64.fmod = worstOf(
  [squares, shuffled],
  named('fmod')(
    tensor(squares, { dtype: 'float64' }),
    tensor(shuffled, { dtype: 'float64' }),
  ).toTypedArray() as Float64Array,
  (i) => squares[i] % shuffled[i],
  false,
);
process.stdout.write(JSON.stringify({ level: addon.simdLevel, float32, float64, byLayout } satisfies Report));
