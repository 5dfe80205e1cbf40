/**
 * Public elementwise functions. Such a function only prepares: it turns its arguments into an operator and operands of
 * one type (`plan`). Running them out of place gives `x.exp()`, running them into x's memory gives `x.exp_()`.
 */

import { isGradEnabled } from '../../autograd/grad-mode.js';
import { checkInplace } from '../../autograd/graph.js';
import { attachMethod, defineFunction } from '../../dispatch/define-function.js';
import type { Kind } from '../../dispatch/parameter-kinds.js';
import type { PublicFunction } from '../../dispatch/public-arguments.js';
import { type DTypeInfo, defaultFloatInfo, FLOAT32 } from '../../storage/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { snapshot, storeResult } from '../core/inplace.js';
import {
  asOperand,
  isScalar,
  type Operand,
  resultType,
  type Scalar,
  scalarTensor,
  tensorArgument,
} from '../core/promotion.js';
import { type Elementwise, elementwiseOp, type Row } from './elementwise-op.js';

/** An operator with the operands and numbers that it is to run on. */
export class Planned {
  constructor(
    readonly operator: Elementwise,
    readonly inputs: readonly Tensor[],
    readonly numbers: readonly number[] = [],
  ) {}

  run(): Tensor {
    return this.operator(this.inputs, this.numbers);
  }
}

/** Runs what was planned. */
export function evaluate(planned: Planned | Tensor): Tensor {
  return planned instanceof Tensor ? planned : planned.run();
}

/** Runs what was planned into the memory of `target`, and returns `target`. */
export function runInto(op: string, target: Tensor, planned: Planned | Tensor): Tensor {
  if (planned instanceof Tensor) return storeResult(op, target, planned);
  const { operator, inputs, numbers } = planned;
  if (operator.into(op, target, inputs, numbers)) return target;
  const recorded = isGradEnabled() && inputs.some((t) => t.requiresGrad);
  return storeResult(
    op,
    target,
    operator(recorded ? inputs.map((t) => (t.storage === target.storage ? snapshot(t) : t)) : inputs, numbers),
  );
}

interface Declaration<P extends readonly string[]> {
  readonly name: string;
  readonly parameters: P;
  readonly keywords?: number;
  readonly required?: number;
  readonly method?: boolean | string;
  /** False where PyTorch has no in-place method of the name with `_`. */
  readonly inplace?: boolean;
  /** True where the first operand may be a number. */
  readonly scalarInput?: boolean;
  /** Parameters that take another kind of value than their names say. */
  readonly kinds?: Readonly<Partial<Record<P[number], Kind>>>;
}

/** Declares a public function, its method and its in-place method from a plan of what to run. */
export function defineElementwise<const P extends readonly string[], A extends readonly unknown[]>(
  declaration: Declaration<P>,
  plan: (...args: A) => Planned | Tensor,
): PublicFunction<P, A, Tensor> {
  const { name, method = !name.includes('.'), inplace = method !== false } = declaration;
  const fn = defineFunction<P, A, Tensor>(declaration, (...args: A) => {
    return evaluate(plan(...args));
  });
  if (inplace) {
    // Only reads arguments: the same rules of options and positions, with the result written into the first one's
    // memory.
    const short = `${typeof method === 'string' ? method : name.slice(name.lastIndexOf('.') + 1)}_`;
    const change = defineFunction<P, A, Tensor>(
      { ...declaration, name: short, method: false, hidden: true },
      (...args: A) => {
        const target = args[0];
        if (!(target instanceof Tensor)) return tensorArgument(short, 'input', target);
        checkInplace(short, target);
        return runInto(short, target, plan(...args));
      },
    );
    attachMethod(short, change as never);
  }
  return fn;
}

/** Another name of a public function: the same function, and the same methods under that name. */
export function aliasOf<F extends (...args: never) => Tensor>(name: string, fn: F): F {
  for (const suffix of ['', '_']) {
    const method = Object.getOwnPropertyDescriptor(Tensor.prototype, fn.name + suffix);
    if (method !== undefined) Object.defineProperty(Tensor.prototype, name + suffix, method);
  }
  return fn;
}

/** Integers and bools become the default floating type. */
export function floatInput(op: string, input: unknown): Tensor {
  const x = tensorArgument(op, 'input', input);
  return x.info.floating ? x : castRecorded(x, defaultFloatInfo());
}

export type UnaryFunction = PublicFunction<readonly ['input'], [input: Tensor], Tensor> & { readonly op: Elementwise };

/** A function of one tensor, with its operator as `op`: floating, integers converted first. */
export function unary(row: Row, settings: { integers?: 'same' | 'float'; inplace?: boolean } = {}): UnaryFunction {
  const { name } = row;
  const op = elementwiseOp(row);
  const input =
    settings.integers === 'same'
      ? (x: unknown) => tensorArgument(name, 'input', x)
      : (x: unknown) => floatInput(name, x);
  const fn = defineElementwise(
    { name, parameters: ['input'], inplace: settings.inplace },
    (x: Tensor) => new Planned(op, [input(x)]),
  );
  return Object.assign(fn, { op }) as unknown as UnaryFunction;
}

/** Both operands in their common type. */
export function pair(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  if (a instanceof Tensor && b instanceof Tensor && a.info === b.info) return [a, b];
  const info = resultType(op, [a, b]);
  return [asOperand(op, a, info), asOperand(op, b, info)];
}

/**
 * A number beside a 16-bit tensor: in float32, which sums and products are computed in, unless 16 bits hold it exactly
 * (the operator then takes the 16-bit kernel). PyTorch does not round such a number either.
 */
function exactScalar(value: Scalar, info: DTypeInfo): Tensor {
  const scalar = scalarTensor(value, info);
  return !info.half || scalar.item() === Number(value) ? scalar : scalarTensor(value, FLOAT32);
}

/** Both operands in their common type; the second, where it is a number, keeps its digits beside 16-bit tensors. */
export function arithmeticPair(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  if (a instanceof Tensor && b instanceof Tensor && a.info === b.info) return [a, b];
  const info = resultType(op, [a, b]);
  return [asOperand(op, a, info), info.half && isScalar(b) ? exactScalar(b, info) : asOperand(op, b, info)];
}

/** Both operands in their common type, floating where that is an integer or bool; `exact` as in `arithmeticPair`. */
export function floatPair(op: string, a: Operand, b: Operand, exact = false): [Tensor, Tensor] {
  const common = resultType(op, [a, b]);
  const info = common.floating ? common : defaultFloatInfo();
  return [asOperand(op, a, info), exact && info.half && isScalar(b) ? exactScalar(b, info) : asOperand(op, b, info)];
}

type Both = PublicFunction<readonly ['input', 'other'], [input: Operand, other: Operand], Tensor>;
export type BinaryFunction = Both & { readonly op: Elementwise };

/** A function of two operands, tensors or numbers, with its operator as `op`. */
export function binary(
  row: Row,
  settings: { operands?: typeof pair; inplace?: boolean; method?: boolean } = {},
): BinaryFunction {
  const { name } = row;
  const op = elementwiseOp(row);
  const { operands = pair } = settings;
  const fn = defineElementwise(
    {
      name,
      parameters: ['input', 'other'],
      required: 2,
      scalarInput: true,
      inplace: settings.inplace,
      ...(settings.method === undefined ? {} : { method: settings.method }),
    },
    (a: Operand, b: Operand) => new Planned(op, operands(name, a, b)),
  );
  return Object.assign(fn, { op }) as unknown as BinaryFunction;
}
