/**
 * One of every module class: its usual arguments, by position and by name, and inputs of a call. The generic tests of
 * modules loop over it; a class without an entry fails by name (test/generic/coverage.test.ts).
 */
import { nn, rand, randint, randn, type Tensor, tensor } from '../../lib/index.js';

export interface ModuleSample {
  /** The class's name in `nn`. */
  readonly name: string;
  readonly make: () => nn.Module;
  /**
   * The same module, its arguments all named; absent where nothing can be named (a list of modules, or no parameters).
   */
  readonly named?: () => nn.Module;
  /** Arguments of a call that works; absent where a call is not meant (containers that are lists). */
  readonly call?: () => unknown[];
}

export const moduleSamples = new Map<string, ModuleSample>();

type Constructor = new (...args: never[]) => nn.Module;
function add(
  name: keyof typeof nn,
  positional: readonly unknown[],
  named: Record<string, unknown> | null,
  call?: () => unknown[],
): void {
  const Class = nn[name] as unknown as Constructor;
  moduleSamples.set(name, {
    name,
    make: () => new Class(...(positional as never[])),
    named: named === null ? undefined : () => new Class(named as never),
    call,
  });
}

const image = (...size: number[]) => [randn([2, 4, ...size])];
const row = (): Tensor[] => [randn([3, 4])];
const pair = (): Tensor[] => [rand([3, 4]), rand([3, 4])];
const classes = (): Tensor[] => [randn([3, 4]), randint(0, 4, [3])];
const signs = (): Tensor => tensor([1, -1, 1]);

// ---- linear, embedding, attention, recurrent
add('Linear', [4, 3], { inFeatures: 4, outFeatures: 3 }, row);
add('Bilinear', [4, 4, 3], { in1Features: 4, in2Features: 4, outFeatures: 3 }, pair);
add('Embedding', [5, 3], { numEmbeddings: 5, embeddingDim: 3 }, () => [randint(0, 5, [2, 3])]);
const sequence = (): Tensor[] => [randn([5, 2, 4])];
for (const name of ['RNN', 'LSTM', 'GRU'] as const)
  add(name, [4, 3, 2], { inputSize: 4, hiddenSize: 3, numLayers: 2 }, sequence);
for (const name of ['RNNCell', 'LSTMCell', 'GRUCell'] as const) add(name, [4, 3], { inputSize: 4, hiddenSize: 3 }, row);
add('MultiheadAttention', [4, 2], { embedDim: 4, numHeads: 2 }, () => [
  randn([5, 2, 4]),
  randn([5, 2, 4]),
  randn([5, 2, 4]),
]);
const small = { dModel: 4, nhead: 2, dimFeedforward: 6 };
add('TransformerEncoderLayer', [4, 2, 6], small, sequence);
add('TransformerDecoderLayer', [4, 2, 6], small, () => [randn([5, 2, 4]), randn([3, 2, 4])]);
const encoder = new nn.TransformerEncoderLayer(4, 2, 6);
const decoder = new nn.TransformerDecoderLayer(4, 2, 6);
add('TransformerEncoder', [encoder, 2], { encoderLayer: encoder, numLayers: 2 }, sequence);
add('TransformerDecoder', [decoder, 2], { decoderLayer: decoder, numLayers: 2 }, () => [
  randn([5, 2, 4]),
  randn([3, 2, 4]),
]);
add('Transformer', [4, 2, 1, 1, 6], { ...small, numEncoderLayers: 1, numDecoderLayers: 1 }, () => [
  randn([5, 2, 4]),
  randn([3, 2, 4]),
]);

// ---- convolution, pooling, upsampling
const sizes = [[9], [7, 6], [5, 4, 6]];
([1, 2, 3] as const).forEach((nd, i) => {
  const input = () => image(...sizes[i]);
  add(`Conv${nd}d`, [4, 6, 3], { inChannels: 4, outChannels: 6, kernelSize: 3 }, input);
  add(`ConvTranspose${nd}d`, [4, 6, 3], { inChannels: 4, outChannels: 6, kernelSize: 3 }, input);
  add(`MaxPool${nd}d`, [2], { kernelSize: 2 }, input);
  add(`AvgPool${nd}d`, [2], { kernelSize: 2 }, input);
  add(`LPPool${nd}d`, [2, 2], { normType: 2, kernelSize: 2 }, input);
  add(`AdaptiveAvgPool${nd}d`, [2], { outputSize: 2 }, input);
  add(`AdaptiveMaxPool${nd}d`, [2], { outputSize: 2 }, input);
  add(`MaxUnpool${nd}d`, [2], { kernelSize: 2 }, () => {
    const halves = new Array<number>(nd).fill(2);
    return [randn([1, 1, ...halves]), randint(0, 1, [1, 1, ...halves])];
  });
  add(`BatchNorm${nd}d`, [4], { numFeatures: 4 }, input);
  add(`InstanceNorm${nd}d`, [4], { numFeatures: 4 }, input);
  add(`Dropout${nd}d`, [0.3], { p: 0.3 }, input);
});
const plane = () => image(4, 4);
add('Unfold', [2], { kernelSize: 2 }, plane);
add('Fold', [4, 2], { outputSize: 4, kernelSize: 2 }, () => [randn([2, 8, 9])]);
add('Upsample', [null, 2], { scaleFactor: 2 }, plane);
add('UpsamplingNearest2d', [null, 2], { scaleFactor: 2 }, plane);
add('UpsamplingBilinear2d', [null, 2], { scaleFactor: 2 }, plane);
add('PixelShuffle', [2], { upscaleFactor: 2 }, plane);
add('PixelUnshuffle', [2], { downscaleFactor: 2 }, plane);

// ---- normalisation, dropout, shapes
add('LayerNorm', [4], { normalizedShape: 4 }, row);
add('RMSNorm', [4], { normalizedShape: 4 }, row);
add('GroupNorm', [2, 4], { numGroups: 2, numChannels: 4 }, plane);
add('LocalResponseNorm', [2], { size: 2 }, plane);
for (const name of ['Dropout', 'AlphaDropout', 'FeatureAlphaDropout'] as const) add(name, [0.3], { p: 0.3 }, row);
add('Flatten', [0, 1], { startDim: 0, endDim: 1 }, plane);
add('Unflatten', [1, [2, 2]], { dim: 1, unflattenedSize: [2, 2] }, row);
add('Identity', [], null, row);

// ---- activations
for (const name of ['ReLU', 'ReLU6', 'SELU', 'SiLU', 'Mish', 'Hardsigmoid', 'Hardswish'] as const)
  add(name, [false], { inplace: false }, row);
for (const name of ['Sigmoid', 'Tanh', 'LogSigmoid', 'Softsign', 'Tanhshrink'] as const) add(name, [], null, row);
add('LeakyReLU', [0.2], { negativeSlope: 0.2 }, row);
for (const name of ['ELU', 'CELU'] as const) add(name, [0.5], { alpha: 0.5 }, row);
add('PReLU', [4], { numParameters: 4 }, row);
add('GELU', ['tanh'], { approximate: 'tanh' }, row);
add('GLU', [1], { dim: 1 }, row);
add('Softplus', [2], { beta: 2 }, row);
add('Hardtanh', [-2, 2], { minVal: -2, maxVal: 2 }, row);
add('Threshold', [0.1, 3], { threshold: 0.1, value: 3 }, row);
for (const name of ['Hardshrink', 'Softshrink'] as const) add(name, [0.3], { lambd: 0.3 }, row);
for (const name of ['Softmax', 'LogSoftmax', 'Softmin'] as const) add(name, [1], { dim: 1 }, row);
add('Softmax2d', [], null, plane);

// ---- losses
for (const name of [
  'MSELoss',
  'L1Loss',
  'SmoothL1Loss',
  'BCELoss',
  'BCEWithLogitsLoss',
  'KLDivLoss',
  'PoissonNLLLoss',
  'MultiLabelSoftMarginLoss',
  'SoftMarginLoss',
] as const)
  add(name, [], { reduction: 'sum' }, pair);
add('HuberLoss', ['mean', 2], { reduction: 'mean', delta: 2 }, pair);
add('CrossEntropyLoss', [], { labelSmoothing: 0 }, classes);
add('NLLLoss', [], { ignoreIndex: -100 }, classes);
add('MultiMarginLoss', [], { margin: 1 }, classes);
add('MultiLabelMarginLoss', [], { reduction: 'mean' }, () => [randn([3, 4]), randint(0, 4, [3, 4])]);
add('GaussianNLLLoss', [], { full: false }, () => [...pair(), rand([3, 4])]);
add('HingeEmbeddingLoss', [0.5], { margin: 0.5 }, () => [randn([3]), signs()]);
add('MarginRankingLoss', [0.5], { margin: 0.5 }, () => [randn([3]), randn([3]), signs()]);
add('CosineEmbeddingLoss', [0.5], { margin: 0.5 }, () => [...pair(), signs()]);
add('TripletMarginLoss', [0.5], { margin: 0.5 }, () => [...pair(), rand([3, 4])]);

// ---- containers
const layer = new nn.Linear(4, 4);
add('Sequential', [layer, new nn.ReLU()], { first: layer, second: new nn.ReLU() }, row);
add('ModuleList', [[layer, new nn.ReLU()]], null);
add('ModuleDict', [{ first: layer }], null);
add('ParameterList', [[randn([2])]], null);
add('ParameterDict', [{ first: randn([2]) }], null);
