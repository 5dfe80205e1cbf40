/**
 * Samples of nn.utils: the norm and the vector of parameters; what changes gradients is compared with PyTorch in
 * test/nn.
 */
import { ArgumentError, nn, ShapeError, type Tensor, zeros } from '../../lib/index.js';
import { make, samples } from './sample.js';

const { utils } = nn;
const withGradient = (shape: number[]): nn.Parameter => {
  const parameter = new nn.Parameter(zeros(shape));
  parameter.grad = make(shape).detach().float();
  return parameter;
};
const changes = 'it changes gradients or parameters in place';

samples({
  fn: 'nn.utils.getTotalNorm',
  cases: [
    {
      name: 'two tensors',
      inputs: [make([2, 3]), make([4])],
      call: (a, b) => utils.getTotalNorm([a.detach(), b.detach()]),
    },
  ],
  errors: [
    {
      name: 'a norm that is no number',
      call: () => utils.getTotalNorm([], 'fro' as never),
      error: ArgumentError,
      message: /a number or 'inf' for normType/,
    },
  ],
  notDifferentiable: 'it is taken of gradients, unrecorded',
  expandable: false,
});
samples({
  fn: 'nn.utils.clipGradNorm_',
  cases: [{ name: 'one parameter', inputs: [], call: () => utils.clipGradNorm_(withGradient([2, 3]), 1) }],
  errors: [
    {
      name: 'no tensors',
      call: () => utils.clipGradNorm_([1] as never, 1),
      error: ArgumentError,
      message: /clipGradNorm_: expected a tensor or tensors/,
    },
  ],
  notDifferentiable: changes,
  random: true,
});
const afterwards = (change: (p: nn.Parameter) => void): Tensor => {
  const parameter = withGradient([2, 3]);
  change(parameter);
  return parameter.grad as Tensor;
};
samples({
  fn: 'nn.utils.clipGradsWithNorm_',
  cases: [
    {
      name: 'one parameter',
      inputs: [],
      call: () => afterwards((p) => utils.clipGradsWithNorm_(p, 1, utils.getTotalNorm(p))),
    },
  ],
  errors: [
    {
      name: 'no limit',
      call: () => utils.clipGradsWithNorm_([], Number.NaN, zeros([])),
      error: ArgumentError,
      message: /a number for maxNorm, got NaN/,
    },
  ],
  notDifferentiable: changes,
  random: true,
});
samples({
  fn: 'nn.utils.clipGradValue_',
  cases: [{ name: 'one parameter', inputs: [], call: () => afterwards((p) => utils.clipGradValue_(p, 0.5)) }],
  errors: [
    {
      name: 'no bound',
      call: () => utils.clipGradValue_([], 'x' as never),
      error: ArgumentError,
      message: /a number for clipValue/,
    },
  ],
  notDifferentiable: changes,
  random: true,
});
samples({
  fn: 'nn.utils.parametersToVector',
  cases: [
    { name: 'two tensors', inputs: [make([2, 3]), make([4])], call: (a, b) => utils.parametersToVector([a, b]) },
    { name: 'no elements', inputs: [make([0, 3]), make([2])], call: (a, b) => utils.parametersToVector([a, b]) },
  ],
  errors: [
    {
      name: 'no tensors',
      call: () => utils.parametersToVector(3 as never),
      error: ArgumentError,
      message: /a tensor or tensors, got 3/,
    },
  ],
});
samples({
  fn: 'nn.utils.vectorToParameters',
  cases: [
    {
      name: 'one parameter',
      inputs: [make([6])],
      call: (v) => {
        const parameter = new nn.Parameter(zeros([2, 3]));
        utils.vectorToParameters(v.detach(), parameter);
        return parameter.detach();
      },
    },
  ],
  errors: [
    {
      name: 'too short',
      call: () => utils.vectorToParameters(zeros([5]), new nn.Parameter(zeros([2, 3]))),
      error: ShapeError,
      message: /at least 6 elements/,
    },
  ],
  notDifferentiable: changes,
});
