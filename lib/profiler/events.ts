/**
 * The events of a profile: single calls and the average of all calls of one name. It knows nothing of how they are
 * recorded.
 */

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
