/** What a profile recorded: single events, their averages by name, and the table of those. It knows nothing of how they are recorded. */
import { ArgumentError, fail, rejectUnknownOptions } from '../errors.js';
import { buildTable, type TableOptions } from './table.js';

/** `op`: an operator; `backward`: a derivative rule with what it calls; `annotation`: a named piece of the program. */
export type EventKind = 'op' | 'backward' | 'annotation';

/** One call. Times are microseconds; `start` counts from the profile's beginning. */
export interface FunctionEvent {
  readonly name: string;
  readonly kind: EventKind;
  readonly start: number;
  readonly cpuTimeTotal: number;
  /** Without what the events inside it took. */
  selfCpuTimeTotal: number;
  /** Bytes of the tensors that were made meanwhile. */
  readonly cpuMemoryUsage: number;
  selfCpuMemoryUsage: number;
  readonly inputShapes: readonly (readonly number[])[];
  readonly inputDtypes: readonly string[];
  /** True for an annotation that lasted until a promise was settled. */
  readonly isAsync: boolean;
  /** The innermost event around it. */
  cpuParent: FunctionEvent | null;
  /** Places in the order of all beginnings and ends. Internal. */
  readonly began: number;
  readonly ended: number;
}

/** All calls of one name (and, where asked, one list of input shapes). */
export class FunctionEventAvg {
  count = 0;
  cpuTimeTotal = 0;
  selfCpuTimeTotal = 0;
  cpuMemoryUsage = 0;
  selfCpuMemoryUsage = 0;

  constructor(
    readonly key: string,
    /** Null where calls are not grouped by shapes. */
    readonly inputShapes: readonly (readonly number[])[] | null,
    /** False where every call was inside another event. */
    public topLevel = false,
    public isAsync = false,
  ) {}

  /** Microseconds a call. */
  get cpuTime(): number {
    return this.count === 0 ? 0 : this.cpuTimeTotal / this.count;
  }
  /** Counts one more call. Internal: `keyAverages` calls it. */
  add(event: FunctionEvent): void {
    this.count++;
    this.cpuTimeTotal += event.cpuTimeTotal;
    this.selfCpuTimeTotal += event.selfCpuTimeTotal;
    this.cpuMemoryUsage += event.cpuMemoryUsage;
    this.selfCpuMemoryUsage += event.selfCpuMemoryUsage;
    this.topLevel ||= event.cpuParent === null;
    this.isAsync ||= event.isAsync;
  }
}

/** Averages, as `keyAverages` gives them. */
export class EventList extends Array<FunctionEventAvg> {
  profileMemory = false;

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
  /**
   * The averages as PyTorch's table, laid out as torch.profiler's `key_averages().table()`.
   *
   * @param options.sortBy largest first by 'cpuTime', 'cpuTimeTotal', 'selfCpuTimeTotal', 'cpuMemoryUsage', 'selfCpuMemoryUsage' or
   *   'count'; default: in the order of their first calls
   * @param options.rowLimit at most so many rows; default 100, -1 for all
   * @param options.header a line above
   * @param options.topLevelEventsOnly leave out what was only called inside other events; default false
   * @param options.timeUnit 's', 'ms' or 'us' for every time; default: each as it fits
   * @param options.maxNameColumnWidth, options.maxShapesColumnWidth default 55 and 80
   */
  table(options: TableOptions = {}): string {
    return buildTable(this, this.profileMemory, options);
  }
}

export interface KeyAveragesOptions {
  /** Calls with other input shapes are entries of their own. Default false. */
  groupByInputShape?: boolean;
}

/** The events by name, in the order of their first calls. */
export function averagesOf(events: readonly FunctionEvent[], profileMemory: boolean, options: KeyAveragesOptions): EventList {
  rejectUnknownOptions('keyAverages', options, ['groupByInputShape']);
  const { groupByInputShape = false } = options;
  if (typeof groupByInputShape !== 'boolean') fail(ArgumentError, 'keyAverages', 'groupByInputShape as true or false', String(groupByInputShape));
  const averages = new Map<string, FunctionEventAvg>();
  for (const event of events) {
    const key = groupByInputShape ? `${event.kind} ${event.name} ${JSON.stringify(event.inputShapes)}` : `${event.kind} ${event.name}`;
    let average = averages.get(key);
    if (average === undefined) {
      average = new FunctionEventAvg(event.name, groupByInputShape ? event.inputShapes : null);
      averages.set(key, average);
    }
    average.add(event);
  }
  const list = new EventList();
  list.push(...averages.values());
  list.profileMemory = profileMemory;
  return list;
}

/** Finds the event around each, and what each took itself. Sorts by beginning. */
export function link(events: FunctionEvent[]): void {
  events.sort((a, b) => a.began - b.began);
  const open: FunctionEvent[] = [];
  for (const event of events) {
    while (open.length > 0 && open[open.length - 1].ended < event.began) open.pop();
    // Asynchronous scopes may end in another order than they began: the innermost that holds the whole event.
    let parent = open.length - 1;
    while (parent >= 0 && open[parent].ended < event.ended) parent--;
    event.cpuParent = parent < 0 ? null : open[parent];
    if (event.cpuParent !== null) {
      event.cpuParent.selfCpuTimeTotal -= event.cpuTimeTotal;
      event.cpuParent.selfCpuMemoryUsage -= event.cpuMemoryUsage;
    }
    open.push(event);
  }
}
