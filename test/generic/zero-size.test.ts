/**
 * Tensors without elements: every function and every layer takes them, in every place, permuted and strided, forward
 * and backward, as PyTorch does.
 */
import { expect } from 'chai';
import { nn } from '../../lib/index.js';
import { describeChecks } from './checks.js';
import { layersCalled, checks as ofPytorch } from './zero-size-pytorch-checks.js';
import { checks as ofSamples } from './zero-size-samples-checks.js';

const PATIENCE = 60_000;

describeChecks('sizes of 0 in the inputs of', 'zero-size-samples-checks.ts', ofSamples, PATIENCE);
describeChecks("PyTorch's answer to sizes of 0 of", 'zero-size-pytorch-checks.ts', ofPytorch, PATIENCE);

/** Modules that hold others, or that have no call of their own. */
const NO_LAYERS = [
  'Module',
  'Sequential',
  'ModuleList',
  'ModuleDict',
  'ParameterList',
  'ParameterDict',
  'RNNBase',
  'RNNCellBase',
  'TransformerEncoder',
  'TransformerDecoder',
];

describe('every layer', () => {
  const layers = Object.entries(nn).filter(
    ([, value]) => typeof value === 'function' && value.prototype instanceof nn.Module,
  );
  it('is asked for its answer to sizes of 0', () => {
    const missing = layers.map(([name]) => name).filter((name) => !layersCalled.has(name) && !NO_LAYERS.includes(name));
    expect(missing, 'add a call in scripts/fixtures/zero_size.py').to.deep.equal([]);
  });
});
