/**
 * What TypeScript lets users of nn write, and what it refuses: compiled by `tsc --noEmit`, never run. A line below
 * `@ts-expect-error` that compiles is an error of its own.
 */
import { nn, type Tensor } from 'nodegrad';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function type<_Check extends true>(): void {}
declare const x: Tensor;

// ---- a tensor does not pass for a parameter, a parameter does for a tensor
export function parameters(linear: nn.Linear, maybe: nn.Parameter | null, either: nn.Parameter | Tensor): Tensor {
  linear.weight = new nn.Parameter(x);
  linear.bias = null;
  // @ts-expect-error a product is no parameter
  linear.weight = linear.weight.mul(2);
  // @ts-expect-error a tensor is no parameter
  linear.bias = x;
  // @ts-expect-error a weight is there
  linear.weight = null;
  const options = [
    new nn.Parameter(x, false),
    new nn.Parameter(x, { requiresGrad: false }),
    new nn.Parameter({ data: x, requiresGrad: false }),
  ];
  // @ts-expect-error no such option
  new nn.Parameter(x, { requireGrad: false });
  if (!(either instanceof nn.Parameter)) return either.mul(2);
  if (maybe !== null) return maybe.mul(2).add(maybe);
  return (maybe ?? x).mul(options[0]);
}

class WithOptional extends nn.Module {
  weight: nn.Parameter | null;
  gate: nn.Parameter | null = null;
  constructor(affine: boolean) {
    super();
    this.weight = affine ? new nn.Parameter(x) : null;
    if (affine) this.gate = new nn.Parameter(x);
  }
  override forward(input: Tensor): Tensor {
    const scaled = this.weight === null ? input : this.weight.mul(input);
    return this.gate !== null ? scaled.mul(this.gate) : (this.gate ?? scaled);
  }
}
export const optional: Tensor = new WithOptional(true)(x);

// ---- modules whose class is not known can be called
export function unknownModules(
  act: nn.Module,
  seq: nn.Sequential,
  layers: nn.Module[],
  rnn: nn.LSTM | nn.GRU,
  either: nn.Linear | nn.Conv2d,
): Tensor {
  let y: Tensor = act(x);
  for (const m of seq) y = m(y);
  for (const m of seq.children()) y = m(y, 1, 'two');
  y = layers[0](y);
  y = seq[0](y);
  const [output] = rnn(y);
  type<Equal<typeof output, Tensor>>();
  const [again, state] = rnn(output);
  type<Equal<typeof state, Tensor | [h: Tensor, c: Tensor]>>();
  return either(again);
}
export function knownModules(linear: nn.Linear, lstm: nn.LSTM, bilinear: nn.Bilinear): Tensor {
  // @ts-expect-error one operand is missing
  bilinear(x);
  // @ts-expect-error a number is no tensor
  linear(3);
  const [output, [h, c]] = lstm(x, [x, x]);
  type<Equal<typeof c, Tensor>>();
  return output.add(h).add(linear(x));
}
export const asModule: nn.Module[] = [
  new nn.Linear(1, 1),
  new nn.LSTM(1, 1),
  new nn.ModuleList(),
  new WithOptional(true),
];

// ---- containers
export function containers(list: nn.ModuleList<nn.Linear>, parameterList: nn.ParameterList): void {
  const [first, last] = [list[0], list[-1]];
  type<Equal<typeof first, nn.Linear>>();
  list[1] = last;
  // @ts-expect-error of another class
  list[1] = new nn.ReLU();
  const p = parameterList[0];
  type<Equal<typeof p, nn.Parameter>>();

  const dict = new nn.ModuleDict({ fc: new nn.Linear(1, 1), act: new nn.ReLU() });
  type<Equal<typeof dict.fc, nn.Linear>>();
  const y: Tensor = dict.act(dict.fc(x)).add(dict.get('fc')(x));
  // @ts-expect-error no such name
  dict.other;
  const nested = new nn.ModuleDict({
    down: new nn.ModuleList([new nn.Linear(1, 1)]),
    up: new nn.ModuleList([new nn.Linear(1, 1)]),
  });
  for (const block of nested.down) block(y);
  for (const [, blocks] of nested.items()) for (const block of blocks) block(y);
  const named: nn.ModuleDict<nn.ModuleList> = new nn.ModuleDict<nn.ModuleList>([['a', new nn.ModuleList()]]);
  named.get('a').at(0)(x);
  const plain: nn.ModuleDict<nn.Linear> = new nn.ModuleDict<nn.Linear>();
  plain.set('a', new nn.Linear(1, 1));
  const parametersByName = new nn.ParameterDict({ a: x });
  type<Equal<typeof parametersByName.a, nn.Parameter>>();
}
export class Blocks extends nn.ModuleDict<nn.Linear> {
  override forward(input: Tensor): Tensor {
    return this.values().reduce((y, m) => m(y), input);
  }
}
export class Branches extends nn.ModuleDict {}
export class Block extends nn.Sequential {
  constructor(channels: number) {
    super(new nn.Conv2d(channels, channels, 3), new nn.ReLU());
  }
}

// ---- arguments by name
export function byName(m: nn.Module): void {
  new nn.Linear({ inFeatures: 1, outFeatures: 2 });
  m.registerBuffer({ name: 'a', tensor: x, persistent: false });
  m.registerBuffer('a', x, { persistent: false });
  m.registerBuffer('a', null, false);
  m.registerParameter({ name: 'p', param: null });
  m.registerModule({ name: 'm', module: null });
  m.loadStateDict({ stateDict: m.stateDict(), strict: false });
  m.loadStateDict(m.stateDict(), { strict: false });
  m.loadStateDict(m.stateDict(), false);
  m.stateDict({ prefix: 'a.', keepVars: true });
  m.namedParameters({ prefix: 'a', recurse: false });
  m.namedParameters('a', false);
  m.parameters({ recurse: false });
  m.namedModules({ prefix: 'a' });
  m.getSubmodule({ target: 'a' });
  m.to({ device: 'cpu', dtype: 'float64', nonBlocking: true });
  m.to('cpu').to('float64').to(x).cpu().type('float32').eval();
  m.registerForwardHook((module, args, output) => [module, args, output]);
  m.registerForwardHook({ hook: () => undefined, prepend: true });
  m.registerForwardPreHook(() => undefined, { prepend: true });
  // @ts-expect-error no such option
  m.registerForwardHook(() => undefined, { first: true });
  // @ts-expect-error no hook
  m.registerForwardHook({ prepend: true });
}
