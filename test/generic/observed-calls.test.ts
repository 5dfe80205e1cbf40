/**
 * What observers see of every operator call: the declared definition, the inputs, the attributes, the spec and the
 * outputs. Attributes and specs are plain data that nobody changes: here they are frozen, so that a write throws.
 */
import { expect } from 'chai';
import { type Observer, type OperatorCall, observe, unobserve } from '../../lib/autograd/observer.js';
import { operators } from '../../lib/dispatch/define-op.js';
import { add, autograd, type Tensor, Tensor as TensorClass, tensor } from '../../lib/index.js';
import '../samples/index.js';
import { allSamples } from '../samples/sample.js';
import { outputsOf } from './compare.js';

type Infer = (inputs: readonly Tensor[], attributes: unknown) => unknown;

/** Freezes plain data through and through, and names what is not plain: a function, an object of a class. */
function freeze(value: unknown, place: string, notPlain: string[]): void {
  if (typeof value === 'function') notPlain.push(`${place} is a function`);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof TensorClass) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    // Rows of the table of dtypes and generators are shared objects with an identity.
    if (!['DTypeInfo', 'Generator'].includes(value.constructor.name))
      notPlain.push(`${place} is a ${value.constructor.name}`);
    return;
  }
  if (Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const [key, item] of Object.entries(value)) freeze(item, `${place}.${key}`, notPlain);
}

/** Whether two values are the same plain data; tensors are compared by their shape and type. */
function alike(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (a instanceof TensorClass) return b instanceof TensorClass && a.dtype === b.dtype && `${a.shape}` === `${b.shape}`;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return keys.length === others.length && keys.every((key) => alike(a[key as never], b[key as never]));
}

/** Freezes what it sees, and checks that a call ends with what it began with. */
class Freezer implements Observer {
  readonly open: OperatorCall[] = [];
  readonly notPlain: string[] = [];
  calls = 0;

  begin(call: OperatorCall): void {
    this.open.push(call);
    expect(operators.get(call.definition.name)?.definition, call.definition.name).to.equal(call.definition);
    freeze(call.attributes, `the attributes of ${call.definition.name}`, this.notPlain);
  }
  end(call: OperatorCall): void {
    this.calls++;
    expect(this.open.pop()).to.equal(call);
    expect(call.outputs.length, call.definition.name).to.be.greaterThan(0);
    for (const output of call.outputs) expect(output, call.definition.name).to.be.instanceOf(TensorClass);
    const { infer } = call.definition as unknown as { infer: Infer };
    // `infer` finds the same spec again, unless somebody has written into the first one while the call ran.
    expect(alike(infer(call.inputs, call.attributes), call.spec), `the spec of ${call.definition.name}`).to.equal(true);
    freeze(call.spec, `the spec of ${call.definition.name}`, this.notPlain);
  }
  origin(): null {
    return null;
  }
  gradients(): void {}
}

describe('operator calls as observers see them', () => {
  for (const entry of allSamples.values()) {
    it(entry.fn, () => {
      const freezer = new Freezer();
      observe(freezer);
      try {
        for (const sample of entry.cases) {
          const outputs: readonly Tensor[] = outputsOf(sample.call(...sample.inputs));
          const inputs = sample.inputs.filter((t) => t.requiresGrad);
          const ends = outputs.filter((t) => t instanceof TensorClass && t.requiresGrad);
          if (inputs.length === 0 || ends.length === 0) continue;
          const sum = ends.map((t) => t.mul(t).sum()).reduce((a, b) => a.add(b));
          const first = autograd.grad(sum, inputs, { createGraph: true, allowUnused: true });
          const again = first.filter((t): t is Tensor => t?.requiresGrad === true);
          if (again.length > 0)
            autograd.grad(
              again.map((t) => t.sum()).reduce((a, b) => a.add(b)),
              inputs,
              { allowUnused: true },
            );
        }
      } finally {
        unobserve(freezer);
      }
      expect(freezer.open).to.deep.equal([]);
      expect([...new Set(freezer.notPlain)]).to.deep.equal([]);
    });
  }

  it('have a target where they write in place', () => {
    const seen: OperatorCall[] = [];
    const observer: Observer = { begin: (call) => void seen.push(call), end() {}, origin: () => null, gradients() {} };
    const x = tensor([1, 2]);
    observe(observer);
    const sum = add(x, x);
    x.mul_(3);
    unobserve(observer);
    expect(seen.map(({ definition, target }) => [definition.name, target])).to.deep.equal([
      ['add', null],
      ['mul', x],
    ]);
    expect(seen[0].outputs).to.deep.equal([sum]);
    expect(seen[0].inputs).to.deep.equal([x, x]);
    expect(seen[1].outputs).to.deep.equal([x]);
  });
});
