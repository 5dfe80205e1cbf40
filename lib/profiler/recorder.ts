/**
 * Watches operators, derivative rules and named scopes, and keeps an event of each call. It keeps shapes, never
 * tensors, so that the memory of what is profiled lives no longer than without it.
 */
import type { Node } from '../autograd/node.js';
import type { Observer, OperatorCall } from '../autograd/observer.js';
import { gradFnName } from '../printing/format.js';
import { handedOut } from '../storage/allocator.js';
import type { Tensor } from '../tensor/tensor.js';
import type { EventKind, FunctionEvent } from './events.js';

/** A call that has begun. */
interface Frame {
  /** What the end is recognised by: an operator's call, a rule's node, the frame itself. */
  key: object | null;
  readonly name: string;
  readonly kind: EventKind;
  readonly start: number;
  readonly bytes: number;
  readonly began: number;
  readonly inputShapes: readonly (readonly number[])[];
  readonly inputDtypes: readonly string[];
}
const NONE: readonly never[] = Object.freeze([]);

export class Recorder implements Observer {
  events: FunctionEvent[] = [];
  private readonly open: Frame[] = [];
  private order = 0;
  private readonly zero = performance.now();

  constructor(private readonly recordShapes: boolean) {}

  private frame(key: object | null, name: string, kind: EventKind, inputs: readonly (Tensor | null)[]): Frame {
    const given = this.recordShapes ? inputs.filter((t) => t !== null) : NONE;
    const frame: Frame = {
      key,
      name,
      kind,
      began: this.order++,
      inputShapes: given.map((t) => t.shape),
      inputDtypes: given.map((t) => t.dtype),
      bytes: handedOut.bytes,
      start: performance.now(),
    };
    return frame;
  }
  private finish(frame: Frame, isAsync: boolean): void {
    const duration = (performance.now() - frame.start) * 1000;
    const bytes = handedOut.bytes - frame.bytes;
    this.events.push({
      name: frame.name,
      kind: frame.kind,
      start: (frame.start - this.zero) * 1000,
      cpuTimeTotal: duration,
      selfCpuTimeTotal: duration,
      cpuMemoryUsage: bytes,
      selfCpuMemoryUsage: bytes,
      inputShapes: frame.inputShapes,
      inputDtypes: frame.inputDtypes,
      isAsync,
      cpuParent: null,
      began: frame.began,
      ended: this.order++,
    });
  }
  /** Ends the call of that key; calls above it threw, and never ended. */
  private close(key: object): void {
    for (let i = this.open.length - 1; i >= 0; i--) {
      if (this.open[i].key !== key) continue;
      this.finish(this.open[i], false);
      this.open.length = i;
      return;
    }
  }

  begin(call: OperatorCall): void {
    this.open.push(this.frame(call, call.definition.name, 'op', call.inputs));
  }
  end(call: OperatorCall): void {
    this.close(call);
  }
  origin(): null {
    return null;
  }
  backward(node: Node): void {
    this.open.push(this.frame(node, gradFnName(node, node.outputShapes[0]?.length ?? 0), 'backward', NONE));
  }
  gradients(node: Node): void {
    this.close(node);
  }
  enter(name: string): Frame {
    return this.frame(null, name, 'annotation', NONE);
  }
  leave(scope: unknown, asynchronous: boolean): void {
    this.finish(scope as Frame, asynchronous);
  }
}
