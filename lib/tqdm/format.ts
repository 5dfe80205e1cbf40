/** How a progress bar's line is laid out, as Python's tqdm lays it out. Numbers in, text out; no clock, no stream. */

const BLOCKS = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const FULL_BLOCK = '█';
/** The bar's width where the line's is not known. */
const DEFAULT_BAR = 10;

/**
 * Python's `%.{digits}g`: so many significant digits, trailing zeros dropped, an exponent outside of 1e-4 .. 10^digits.
 */
function general(value: number, digits: number): string {
  if (value === 0 || !Number.isFinite(value))
    return Number.isNaN(value) ? 'nan' : value === 0 ? '0' : value > 0 ? 'inf' : '-inf';
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
  const power = Number(exponent);
  const strip = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
  if (power >= -4 && power < digits) return strip(value.toFixed(digits - 1 - power));
  return `${strip(mantissa)}e${power < 0 ? '-' : '+'}${Math.abs(power)}`;
}

/** A number in few characters: three significant digits, or as it is where that is not longer. */
export function formatNumber(value: number | bigint): string {
  const exact = String(value);
  const short = general(Number(value), 3);
  return short.length < exact.length ? short : exact;
}

/** A count with three digits and a prefix: 1.23k. */
export function formatSize(value: number): string {
  let rest = value;
  for (const prefix of ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z']) {
    const size = Math.abs(rest);
    if (size < 999.5)
      return rest.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0).padStart(size < 99.95 ? 0 : 3) + prefix;
    rest /= 1000;
  }
  return `${rest.toFixed(1)}Y`;
}

/** Seconds as [h:]mm:ss. */
export function formatInterval(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** A bar of the given width, filled to eighths of a character. */
function formatBar(fraction: number, width: number): string {
  const eighths = Math.floor(Math.min(1, Math.max(0, fraction)) * width * BLOCKS.length);
  const full = Math.floor(eighths / BLOCKS.length);
  if (full >= width) return FULL_BLOCK.repeat(width);
  return FULL_BLOCK.repeat(full) + BLOCKS[eighths % BLOCKS.length] + ' '.repeat(width - full - 1);
}

export interface Meter {
  readonly n: number;
  readonly total?: number;
  /** Seconds. */
  readonly elapsed: number;
  readonly initial?: number;
  /** Units a second, where it is known better than by n / elapsed. */
  readonly rate?: number;
  readonly desc?: string;
  readonly unit?: string;
  readonly unitScale?: boolean;
  readonly postfix?: string;
  /** The line's width; without it the bar is ten characters wide. */
  readonly ncols?: number;
}

/** `desc:  30%|███       | 3/10 [00:01<00:03,  2.00it/s, postfix]`, or without bar where there is no total. */
export function formatMeter(meter: Meter): string {
  const { n, elapsed, initial = 0, unit = 'it', unitScale = false, ncols, desc = '' } = meter;
  const total = meter.total !== undefined && meter.total > 0 && n < meter.total + 0.5 ? meter.total : undefined;
  const rate = meter.rate ?? (elapsed > 0 ? (n - initial) / elapsed : 0);
  const count = (value: number): string => (unitScale ? formatSize(value) : String(value));
  const speed = (value: number): string => (unitScale ? formatSize(value) : value.toFixed(2).padStart(5));
  const rateText = rate === 0 ? `?${unit}/s` : rate < 1 ? `${speed(1 / rate)}s/${unit}` : `${speed(rate)}${unit}/s`;
  const prefix = desc === '' ? '' : desc.endsWith(': ') ? desc : `${desc}: `;
  const postfix = meter.postfix ? `, ${meter.postfix}` : '';
  if (total === undefined)
    return trim(`${prefix}${count(n)}${unit} [${formatInterval(elapsed)}, ${rateText}${postfix}]`, ncols);
  const remaining = rate > 0 ? formatInterval((total - n) / rate) : '?';
  const left = `${prefix}${((n / total) * 100).toFixed(0).padStart(3)}%|`;
  const right = `| ${count(n)}/${count(total)} [${formatInterval(elapsed)}<${remaining}, ${rateText}${postfix}]`;
  const width = ncols === undefined ? DEFAULT_BAR : Math.max(1, ncols - left.length - right.length);
  return trim(left + formatBar(n / total, width) + right, ncols);
}

function trim(line: string, ncols: number | undefined): string {
  return ncols === undefined ? line : line.slice(0, ncols);
}
