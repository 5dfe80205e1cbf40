/**
 * The stack machine that reads a pickle. It builds lists, tuples, dicts, sets and plain values; every name and every
 * storage is asked of a host, which knows a fixed table. It can neither import nor execute anything, and every step is
 * bounded by the pickle's size.
 */
import { CheckpointError } from '../errors.js';
import { kindOf, type PickleValue, PyDict, PyFunction, PyList, PySet, PyTuple } from './pickle-values.js';

export interface PickleHost {
  /** The value of `module.name`; throws CheckpointError for a name that is not allowed. */
  resolve(module: string, name: string): PickleValue;
  /** The storage that a persistent id names. */
  persistent(id: PickleValue): PickleValue;
}

const MAX_MARKS = 10_000;
/**
 * Instructions of a pickle: each makes at most one value, so that a small file of empty dicts cannot fill the memory.
 */
const MAX_STEPS = 5_000_000;
const PROTOCOLS = [2, 3, 4, 5];

const utf8 = new TextDecoder('utf-8', { fatal: true });

function forged(what: string): CheckpointError {
  return new CheckpointError(`load: expected a valid pickle, got one where ${what}`);
}

/** A cursor that never reads past the end. */
class Cursor {
  at = 0;
  private readonly view: DataView;
  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  private advance(count: number): number {
    const start = this.at;
    if (count > this.bytes.length - start) throw forged(`it ends in the middle of an instruction (at byte ${start})`);
    this.at = start + count;
    return start;
  }
  byte(): number {
    return this.bytes[this.advance(1)];
  }
  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }
  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }
  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }
  uint64(): number {
    const value = this.view.getBigUint64(this.advance(8), true);
    if (value > BigInt(this.bytes.length)) throw forged(`a length of ${value} goes beyond its end`);
    return Number(value);
  }
  double(): number {
    return this.view.getFloat64(this.advance(8), false);
  }
  take(count: number): Uint8Array {
    const start = this.advance(count);
    return this.bytes.subarray(start, start + count);
  }
  text(count: number): string {
    const bytes = this.take(count);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw new CheckpointError('load: expected text in UTF-8, got other bytes', { cause });
    }
  }
  line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw forged('a name has no end');
    const text = this.text(end - this.at);
    this.at = end + 1;
    return text;
  }
}

/** A little-endian two's complement integer: a number where a double holds it, else a bigint. */
function decodeLong(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  if (bytes.length > 0 && bytes[bytes.length - 1] & 0x80) value -= 1n << BigInt(8 * bytes.length);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export class PickleMachine {
  private stack: PickleValue[] = [];
  private readonly marks: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly cursor: Cursor;

  constructor(
    bytes: Uint8Array,
    private readonly host: PickleHost,
  ) {
    this.cursor = new Cursor(bytes);
  }

  private pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw forged('an instruction finds the stack empty');
    return value;
  }
  private top(): PickleValue {
    const value = this.stack[this.stack.length - 1];
    if (value === undefined) throw forged('an instruction finds the stack empty');
    return value;
  }
  private popMark(): PickleValue[] {
    const items = this.stack;
    const below = this.marks.pop();
    if (below === undefined) throw forged('a mark is missing');
    this.stack = below;
    return items;
  }
  private tupleOf(count: number): void {
    const items: PickleValue[] = [];
    for (let i = 0; i < count; i++) items.unshift(this.pop());
    this.stack.push(new PyTuple(items));
  }
  private text(): string {
    const value = this.pop();
    if (typeof value !== 'string') throw forged(`a name is ${kindOf(value)}`);
    return value;
  }

  private append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!(list instanceof PyList)) throw forged(`items are appended to ${kindOf(list)}`);
    for (const item of items) list.items.push(item);
  }
  private setItems(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof PyDict)) throw forged(`keys are set on ${kindOf(dict)}`);
    if (items.length % 2 !== 0) throw forged('a key has no value');
    for (let i = 0; i < items.length; i += 2) dict.entries.push([items[i], items[i + 1]]);
  }
  private addItems(items: readonly PickleValue[]): void {
    const set = this.top();
    if (!(set instanceof PySet)) throw forged(`members are added to ${kindOf(set)}`);
    for (const item of items) set.items.push(item);
  }

  private reduce(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(args instanceof PyTuple)) throw forged(`a call has ${kindOf(args)} as arguments`);
    if (!(callee instanceof PyFunction))
      throw new CheckpointError(`load: expected an allowed function to be called, got ${kindOf(callee)}`);
    this.stack.push(callee.call(args.items));
  }
  private build(): void {
    const state = this.pop();
    const target = this.top();
    if (!(target instanceof PyDict && target.ordered && state instanceof PyDict))
      throw new CheckpointError(`load: expected state for an OrderedDict alone, got it for ${kindOf(target)}`);
    target.attributes = state;
  }

  private recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw forged(`memo ${index} was never set`);
    this.stack.push(value);
  }
  private mark(): void {
    if (this.marks.length >= MAX_MARKS) throw forged(`more than ${MAX_MARKS} marks are open`);
    this.marks.push(this.stack);
    this.stack = [];
  }

  /** Runs to STOP and returns the one value that remains. */
  run(): PickleValue {
    const { cursor } = this;
    if (cursor.byte() !== 0x80) throw forged('no protocol is named (is this a checkpoint?)');
    const protocol = cursor.byte();
    if (!PROTOCOLS.includes(protocol)) throw forged(`the protocol is ${protocol} (known: ${PROTOCOLS.join(', ')})`);
    let steps = 0;
    for (let opcode = cursor.byte(); opcode !== 0x2e; opcode = cursor.byte()) {
      if (++steps > MAX_STEPS) throw forged(`there are more than ${MAX_STEPS} instructions`);
      this.step(opcode);
    }
    const result = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) throw forged('values are left over at the end');
    return result;
  }

  private step(opcode: number): void {
    const { cursor, stack } = this;
    switch (opcode) {
      // ---- plain values
      case 0x4e: // NONE
        stack.push(null);
        return;
      case 0x88: // NEWTRUE
        stack.push(true);
        return;
      case 0x89: // NEWFALSE
        stack.push(false);
        return;
      case 0x4a: // BININT
        stack.push(cursor.int32());
        return;
      case 0x4b: // BININT1
        stack.push(cursor.byte());
        return;
      case 0x4d: // BININT2
        stack.push(cursor.uint16());
        return;
      case 0x8a: // LONG1
        stack.push(decodeLong(cursor.take(cursor.byte())));
        return;
      case 0x47: // BINFLOAT
        stack.push(cursor.double());
        return;
      case 0x58: // BINUNICODE
        stack.push(cursor.text(cursor.uint32()));
        return;
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING, Python 2's text
        stack.push(cursor.text(cursor.byte()));
        return;
      case 0x8d: // BINUNICODE8
        stack.push(cursor.text(cursor.uint64()));
        return;
      case 0x42: // BINBYTES
        stack.push(cursor.take(cursor.uint32()).slice());
        return;
      case 0x43: // SHORT_BINBYTES
        stack.push(cursor.take(cursor.byte()).slice());
        return;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(cursor.take(cursor.uint64()).slice());
        return;
      // ---- containers
      case 0x28: // MARK
        this.mark();
        return;
      case 0x30: // POP
        this.pop();
        return;
      case 0x31: // POP_MARK
        this.popMark();
        return;
      case 0x32: // DUP
        stack.push(this.top());
        return;
      case 0x29: // EMPTY_TUPLE
        stack.push(new PyTuple([]));
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.tupleOf(opcode - 0x84);
        return;
      case 0x74: {
        // TUPLE
        const items = this.popMark();
        this.stack.push(new PyTuple(items));
        return;
      }
      case 0x5d: // EMPTY_LIST
        stack.push(new PyList());
        return;
      case 0x61: // APPEND
        this.append([this.pop()]);
        return;
      case 0x65: // APPENDS
        this.append(this.popMark());
        return;
      case 0x7d: // EMPTY_DICT
        stack.push(new PyDict(false));
        return;
      case 0x73: {
        // SETITEM
        const value = this.pop();
        this.setItems([this.pop(), value]);
        return;
      }
      case 0x75: // SETITEMS
        this.setItems(this.popMark());
        return;
      case 0x8f: // EMPTY_SET
        stack.push(new PySet());
        return;
      case 0x90: // ADDITEMS
        this.addItems(this.popMark());
        return;
      // ---- memo
      case 0x68: // BINGET
        this.recall(cursor.byte());
        return;
      case 0x6a: // LONG_BINGET
        this.recall(cursor.uint32());
        return;
      case 0x71: // BINPUT
        this.memo.set(cursor.byte(), this.top());
        return;
      case 0x72: // LONG_BINPUT
        this.memo.set(cursor.uint32(), this.top());
        return;
      case 0x94: // MEMOIZE
        this.memo.set(this.memo.size, this.top());
        return;
      case 0x95: // FRAME
        cursor.uint64();
        return;
      // ---- names, calls, storages: all answered by the host's table
      case 0x63: {
        // GLOBAL
        const module = cursor.line();
        stack.push(this.host.resolve(module, cursor.line()));
        return;
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = this.text();
        stack.push(this.host.resolve(this.text(), name));
        return;
      }
      case 0x51: // BINPERSID
        stack.push(this.host.persistent(this.pop()));
        return;
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        this.reduce();
        return;
      case 0x62: // BUILD
        this.build();
        return;
      default:
        throw forged(
          `byte ${cursor.at - 1} is instruction 0x${opcode.toString(16).padStart(2, '0')}, which ` +
            'checkpoints do not use',
        );
    }
  }
}
