/**
 * Events in the Trace Event Format (its JSON object form), which chrome://tracing and Perfetto read. Complete events
 * ('X') nest by their times on one thread; what lasts across awaits may not nest, and becomes a pair of asynchronous
 * events ('b', 'e') of its own.
 */
import { workerThreads } from '../native/builtin.js';
import type { FunctionEvent } from './events.js';

const CATEGORIES = { op: 'cpu_op', backward: 'cpu_op', annotation: 'user_annotation' } as const;

function argumentsOf(event: FunctionEvent, profileMemory: boolean): Record<string, unknown> {
  return {
    ...(event.inputShapes.length > 0 ? { 'Input Dims': event.inputShapes, 'Input type': event.inputDtypes } : {}),
    ...(profileMemory ? { 'Bytes allocated': event.cpuMemoryUsage } : {}),
  };
}

/** The file's text, piece by piece. */
export function* chromeTrace(events: readonly FunctionEvent[], profileMemory: boolean): Generator<string> {
  const pid = process.pid;
  const tid = workerThreads().threadId;
  const line = (entry: Record<string, unknown>): string => JSON.stringify({ ...entry, pid, tid });
  yield '{"displayTimeUnit": "ms", "traceEvents": ' +
    `[\n${line({ ph: 'M', name: 'process_name', ts: 0, args: { name: 'nodegrad' } })}`;
  yield `,\n${line({ ph: 'M', name: 'thread_name', ts: 0, args: { name: tid === 0 ? 'main' : `worker ${tid}` } })}`;
  for (const event of events) {
    const { name, start: ts, cpuTimeTotal: dur } = event;
    const common = { name, cat: CATEGORIES[event.kind], args: argumentsOf(event, profileMemory) };
    if (event.isAsync) {
      yield `,\n${line({ ph: 'b', ...common, ts, id: event.began })}`;
      yield `,\n${line({ ph: 'e', ...common, ts: ts + dur, id: event.began })}`;
    } else yield `,\n${line({ ph: 'X', ...common, ts, dur })}`;
  }
  yield '\n]}\n';
}
