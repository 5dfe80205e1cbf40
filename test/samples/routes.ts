/**
 * Routes through derivative rules that no single public function takes in float64: conversions, module hooks, recurrent
 * layers, third derivatives. The generic tests and the mutation check walk them beside the samples.
 */
import { addcdiv, autograd, bernoulli, Generator, nn, normal, type Tensor } from '../../lib/index.js';
import { make } from './sample.js';

export interface Route {
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly call: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Where a step in float32 makes differences coarse. */
  readonly options?: autograd.GradcheckOptions;
}

/** The second derivative of a loss as a function: its own derivative is the third. */
function secondOrder(loss: (x: Tensor, y: Tensor) => Tensor): (x: Tensor, y: Tensor, v: Tensor) => Tensor[] {
  return (x, y, v) =>
    autograd.enableGrad(() => {
      const [first] = autograd.grad(loss(x, y), x, { createGraph: true });
      return autograd.grad(first!.mul(first!).mul(v).sum(), [x, y], { createGraph: true }) as Tensor[];
    });
}

function hooked(): nn.Linear {
  const layer = new nn.Linear(3, 2).double();
  layer.registerFullBackwardHook(() => undefined);
  return layer;
}

const F = nn.functional;
const layer = hooked();
const lstm = new nn.LSTM(3, 2, { numLayers: 2 }).double();
const gru = new nn.GRU(3, 2).double();
const rnn = new nn.RNN(3, 2, { nonlinearity: 'tanh' }).double();
const far = (): Tensor[] => [make([5], 0.5, 0.9), make([5], -0.9, -0.5), make([5], 0.5, 2)];

export const routes: readonly Route[] = [
  {
    name: 'a conversion to float32',
    inputs: [make([4])],
    call: (x) => x.float().mul(3),
    options: { eps: 1e-2, atol: 1e-3 },
  },
  {
    name: 'addcdiv of two floating types',
    inputs: [make([4]), make([4]), make([4], 1, 2)],
    call: (x, a, b) => addcdiv(x, a, b.float(), { value: 2 }),
    options: { eps: 1e-2, atol: 1e-3 },
  },
  { name: 'rounding to a decimal', inputs: [make([4])], call: (x) => x.round({ decimals: 1 }).add(x) },
  {
    name: 'a drawn tensor',
    inputs: [make([4], 0.1, 0.9)],
    call: (x) => bernoulli(x, { generator: new Generator().manualSeed(1) }).add(x),
  },
  {
    name: 'a tensor drawn by its means, which are steps',
    inputs: [make([4], 0.1, 0.9)],
    call: (x) => normal(x.floor(), 1, { generator: new Generator().manualSeed(1) }).add(x),
  },
  { name: 'a module with a backward hook', inputs: [make([4, 3])], call: (x) => layer(x) },
  { name: 'an LSTM', inputs: [make([4, 2, 3])], call: (x) => lstm(x)[0] },
  { name: 'a GRU', inputs: [make([4, 2, 3])], call: (x) => gru(x)[0] },
  { name: 'an RNN', inputs: [make([4, 2, 3])], call: (x) => rnn(x)[0] },
  { name: 'the third derivative of mseLoss', inputs: far(), call: secondOrder((x, y) => F.mseLoss(x, y)) },
  {
    name: 'the third derivative of smoothL1Loss',
    inputs: far(),
    call: secondOrder((x, y) => F.smoothL1Loss(x, y, { beta: 3 })),
  },
  {
    name: 'the third derivative of huberLoss',
    inputs: far(),
    call: secondOrder((x, y) => F.huberLoss(x, y, { delta: 3 })),
  },
];
