/** Averages of the events of a profile by name, and their table. */

import { ArgumentError, fail, rejectUnknownOptions } from '../errors.js';
import { type FunctionEvent, FunctionEventAvg } from './events.js';
import { buildTable, type TableOptions } from './table.js';

/** Averages, as `keyAverages` gives them. */
export class EventList extends Array<FunctionEventAvg> {
  profileMemory = false;

  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
  /**
   * The averages as PyTorch's table, laid out as torch.profiler's `key_averages().table()`.
   *
   * @param options.sortBy largest first by 'cpuTime', 'cpuTimeTotal', 'selfCpuTimeTotal', 'cpuMemoryUsage',
   * 'selfCpuMemoryUsage' or
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
export function averagesOf(
  events: readonly FunctionEvent[],
  profileMemory: boolean,
  options: KeyAveragesOptions,
): EventList {
  rejectUnknownOptions('keyAverages', options, ['groupByInputShape']);
  const { groupByInputShape = false } = options;
  if (typeof groupByInputShape !== 'boolean')
    fail(ArgumentError, 'keyAverages', 'groupByInputShape as true or false', String(groupByInputShape));
  const averages = new Map<string, FunctionEventAvg>();
  for (const event of events) {
    const key = groupByInputShape
      ? `${event.kind} ${event.name} ${JSON.stringify(event.inputShapes)}`
      : `${event.kind} ${event.name}`;
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
