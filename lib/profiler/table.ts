/** The averages of a profile as text, laid out as PyTorch's table is. */
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import type { FunctionEventAvg } from './events.js';

const SORT_KEYS = [
  'cpuTime',
  'cpuTimeTotal',
  'selfCpuTimeTotal',
  'cpuMemoryUsage',
  'selfCpuMemoryUsage',
  'count',
] as const;
const UNITS = ['s', 'ms', 'us'] as const;
type SortKey = (typeof SORT_KEYS)[number];
type Unit = (typeof UNITS)[number];

export interface TableOptions {
  sortBy?: SortKey | null;
  rowLimit?: number;
  header?: string | null;
  topLevelEventsOnly?: boolean;
  timeUnit?: Unit | null;
  maxNameColumnWidth?: number | null;
  maxShapesColumnWidth?: number | null;
}
const OPTIONS = [
  'sortBy',
  'rowLimit',
  'header',
  'topLevelEventsOnly',
  'timeUnit',
  'maxNameColumnWidth',
  'maxShapesColumnWidth',
];
const COLUMN_WIDTH = 12;
const SPACING = '  ';

function time(us: number, unit: Unit | null): string {
  if (unit === 's' || (unit === null && us >= 1e6)) return `${(us / 1e6).toFixed(3)}s`;
  if (unit === 'ms' || (unit === null && us >= 1e3)) return `${(us / 1e3).toFixed(3)}ms`;
  return `${us.toFixed(3)}us`;
}
function memory(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 2 ** 30],
    ['MB', 2 ** 20],
    ['KB', 2 ** 10],
  ] as const)
    if (Math.abs(bytes) >= size) return `${(bytes / size).toFixed(2)} ${unit}`;
  return `${bytes} B`;
}
function share(us: number, total: number): string {
  return total === 0 ? 'NaN' : `${((us * 100) / total).toFixed(2)}%`;
}
/** Nested lists as Python prints them. */
function list(shapes: readonly (readonly number[])[]): string {
  return `[${shapes.map((shape) => `[${shape.join(', ')}]`).join(', ')}]`;
}
/** The width of the longest, and some space, where it is not more than the limit. */
function width(texts: readonly string[], limit: number | null): number {
  return Math.min(Math.max(...texts.map((text) => text.length)) + 4, limit ?? Infinity);
}

export function buildTable(events: readonly FunctionEventAvg[], profileMemory: boolean, options: TableOptions): string {
  rejectUnknownOptions('table', options, OPTIONS);
  const {
    sortBy = null,
    rowLimit = 100,
    header = null,
    topLevelEventsOnly = false,
    timeUnit = null,
    maxNameColumnWidth = 55,
    maxShapesColumnWidth = 80,
  } = options;
  if (sortBy !== null && !SORT_KEYS.includes(sortBy))
    fail(ArgumentError, 'table', `sortBy as one of ${SORT_KEYS.join(', ')}`, describe(sortBy));
  if (timeUnit !== null && !UNITS.includes(timeUnit))
    fail(ArgumentError, 'table', `timeUnit as one of ${UNITS.join(', ')}`, describe(timeUnit));
  if (!Number.isInteger(rowLimit)) fail(ArgumentError, 'table', 'rowLimit as a whole number', describe(rowLimit));
  if (events.length === 0) return '';

  const sorted = sortBy === null ? events : [...events].sort((a, b) => b[sortBy] - a[sortBy]);
  const nameWidth = width(
    events.map((event) => event.key),
    maxNameColumnWidth,
  );
  const shaped = events.some((event) => event.inputShapes !== null && event.inputShapes.length > 0);
  const shapes = (event: FunctionEventAvg): string => list(event.inputShapes ?? []);
  const shapesWidth = width(events.map(shapes), maxShapesColumnWidth);

  const headers = [
    'Name',
    'Self CPU %',
    'Self CPU',
    'CPU total %',
    'CPU total',
    'CPU time avg',
    ...(profileMemory ? ['CPU Mem', 'Self CPU Mem'] : []),
    '# of Calls',
  ];
  const widths = headers.map((_, i) => (i === 0 ? nameWidth : COLUMN_WIDTH));
  if (shaped) {
    headers.push('Input Shapes');
    widths.push(shapesWidth);
  }
  const line = (values: readonly string[]): string =>
    values.map((value, i) => value.padStart(widths[i]) + SPACING).join('');
  const separator = widths.map((w) => '-'.repeat(w) + SPACING).join('');
  const whole = widths.reduce((sum, w) => sum + w + SPACING.length, -SPACING.length);
  const total = events.reduce((sum, event) => sum + event.selfCpuTimeTotal, 0);

  const lines: string[] = [];
  if (header !== null) lines.push('='.repeat(whole), header);
  if (topLevelEventsOnly) lines.push('='.repeat(whole), 'This report only display top-level ops statistics');
  lines.push(separator, line(headers), separator);
  let rows = 0;
  for (const event of sorted) {
    if (rows === rowLimit) break;
    if (topLevelEventsOnly && !event.topLevel) continue;
    rows++;
    const name =
      maxNameColumnWidth !== null && event.key.length >= maxNameColumnWidth - 3
        ? `${event.key.slice(0, maxNameColumnWidth - 3)}...`
        : event.key;
    lines.push(
      line([
        name,
        share(event.selfCpuTimeTotal, total),
        time(event.selfCpuTimeTotal, timeUnit),
        event.isAsync ? '0' : share(event.cpuTimeTotal, total),
        time(event.cpuTimeTotal, timeUnit),
        time(event.cpuTime, timeUnit),
        ...(profileMemory ? [memory(event.cpuMemoryUsage), memory(event.selfCpuMemoryUsage)] : []),
        String(event.count),
        ...(shaped ? [shapes(event).slice(0, shapesWidth)] : []),
      ]),
    );
  }
  lines.push(separator, `Self CPU time total: ${time(total, timeUnit)}`);
  return `${lines.join('\n')}\n`;
}
