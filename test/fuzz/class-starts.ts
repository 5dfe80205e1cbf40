/**
 * Right arguments to begin with, for constructors and for the calls of what they construct. A class that is missing
 * here, and in the exclusions, makes the fuzzer's test fail by name.
 */
import { nn, optim, profiler, tensor, utils } from '../../lib/index.js';
import type { Maker } from './maker.js';

/**
 * A class: arguments of its constructor, and calls of the instance that mean something, by method ('' calls the
 * instance itself).
 */
export interface ClassStart {
  readonly make: () => unknown[];
  /** Where users get instances from a function and never construct one. */
  readonly instance?: () => object;
  readonly calls?: Readonly<Record<string, () => unknown[]>>;
  /**
   * Places of counts of layers that the constructor makes: modules on the heap of JavaScript, of which a program may
   * have as many as it likes.
   */
  readonly layers?: readonly number[];
}

/** Constructor arguments and calls of every class, by public name. */
export function classStarts(maker: Maker): Record<string, ClassStart> {
  const { t, i, b } = maker;
  const out: Record<string, ClassStart> = {};
  const module = (names: string, make: () => unknown[], input: () => unknown[], layers?: readonly number[]): void => {
    for (const name of names.split(' ')) {
      const call = { '': input };
      out[`nn.${name}`] = {
        make,
        layers,
        calls: {
          ...call,
          loadStateDict: () => [{ weight: t(2, 2) }],
          to: () => ['float64'],
          registerBuffer: () => ['held', t(2)],
          registerParameter: () => ['held', maker.parameter(2)],
          registerForwardHook: () => [() => undefined],
        },
      };
    }
  };
  const none = (): unknown[] => [];
  module(
    'ReLU ReLU6 SELU CELU ELU GELU SiLU Mish Softplus Sigmoid Tanh Hardtanh Hardsigmoid Hardswish ' +
      'LogSigmoid Softsign Tanhshrink Softshrink Hardshrink LeakyReLU Identity PReLU GLU Dropout ' +
      'AlphaDropout FeatureAlphaDropout Flatten',
    none,
    () => [t(2, 4)],
  );
  module(
    'Softmax LogSoftmax Softmin',
    () => [1],
    () => [t(2, 4)],
  );
  module('Dropout1d', none, () => [t(2, 4, 3)]);
  module('Dropout2d Softmax2d', none, () => [t(2, 4, 3, 2)]);
  module('Dropout3d', none, () => [t(2, 4, 3, 2, 2)]);
  module(
    'Threshold',
    () => [0.1, 20],
    () => [t(2, 4)],
  );
  module(
    'Unflatten',
    () => [1, [2, -1]],
    () => [t(2, 4)],
  );
  module(
    'Linear',
    () => [4, 3, true],
    () => [t(2, 4)],
  );
  module(
    'Bilinear',
    () => [4, 3, 2],
    () => [t(2, 4), t(2, 3)],
  );
  const [one, two, three] = [
    (): unknown[] => [t(2, 4, 8)],
    (): unknown[] => [t(2, 4, 6, 5)],
    (): unknown[] => [t(1, 4, 4, 4, 3)],
  ];
  [one, two, three].forEach((input, d) => {
    const n = `${d + 1}d`;
    module(
      `Conv${n}`,
      () => [4, 6, 3, 1, 1, 1, 2, true, maker.c.pick(['zeros', 'zeros', 'circular', 'reflect'])],
      input,
    );
    module(`ConvTranspose${n}`, () => [4, 6, 3, 2, 1, 1, 2], input);
    module(`BatchNorm${n}`, () => [4], input);
    module(`InstanceNorm${n}`, () => [4, { affine: true, trackRunningStats: true }], input);
    module(`MaxPool${n} AvgPool${n}`, () => [2, 2], input);
    module(`LPPool${n}`, () => [2, 2], input);
    module(`AdaptiveAvgPool${n} AdaptiveMaxPool${n}`, () => [2], input);
  });
  module(
    'MaxUnpool1d',
    () => [2],
    () => [t(1, 1, 4), i(8, 1, 1, 4)],
  );
  module(
    'MaxUnpool2d',
    () => [2],
    () => [t(1, 1, 2, 2), i(16, 1, 1, 2, 2)],
  );
  module(
    'MaxUnpool3d',
    () => [2],
    () => [t(1, 1, 2, 2, 2), i(64, 1, 1, 2, 2, 2)],
  );
  module('Unfold', () => [2], two);
  module(
    'Fold',
    () => [[4, 5], 2],
    () => [t(1, 8, 12)],
  );
  module(
    'PixelShuffle',
    () => [2],
    () => [t(1, 8, 3, 2)],
  );
  module(
    'PixelUnshuffle',
    () => [2],
    () => [t(1, 2, 4, 6)],
  );
  module('Upsample', () => [null, 2, 'bilinear'], two);
  module('UpsamplingBilinear2d UpsamplingNearest2d', () => [null, 2], two);
  module(
    'LayerNorm',
    () => [[4, 3]],
    () => [t(2, 4, 3)],
  );
  module(
    'RMSNorm',
    () => [[3]],
    () => [t(2, 4, 3)],
  );
  module(
    'GroupNorm',
    () => [2, 4],
    () => [t(2, 4, 3)],
  );
  module('LocalResponseNorm', () => [2], one);
  module(
    'Embedding',
    () => [6, 3, { paddingIdx: 0 }],
    () => [i(6, 2, 3)],
  );
  module(
    'RNN GRU LSTM',
    () => [4, 3, 2, true, false, 0.5, maker.c.chance(0.5)],
    () => [t(5, 2, 4)],
  );
  module(
    'RNNBase',
    () => ['LSTM', 4, 3],
    () => [t(5, 2, 4)],
  );
  module(
    'RNNCell GRUCell LSTMCell',
    () => [4, 3],
    () => [t(2, 4)],
  );
  module(
    'RNNCellBase',
    () => [4, 3, true, 4],
    () => [t(2, 4)],
  );
  module(
    'MultiheadAttention',
    () => [4, 2],
    () => [t(5, 2, 4), t(6, 2, 4), t(6, 2, 4), b(2, 6)],
  );
  module(
    'Transformer',
    () => [4, 2, 1, 1, 8],
    () => [t(3, 2, 4), t(2, 2, 4)],
    [2, 3],
  );
  module(
    'TransformerEncoderLayer',
    () => [4, 2, 8],
    () => [t(3, 2, 4)],
  );
  module(
    'TransformerDecoderLayer',
    () => [4, 2, 8],
    () => [t(3, 2, 4), t(2, 2, 4)],
  );
  module(
    'TransformerEncoder',
    () => [new nn.TransformerEncoderLayer(4, 2, 8), 1],
    () => [t(3, 2, 4)],
    [1],
  );
  module(
    'TransformerDecoder',
    () => [new nn.TransformerDecoderLayer(4, 2, 8), 1],
    () => [t(3, 2, 4), t(2, 2, 4)],
    [1],
  );
  module(
    'MSELoss L1Loss SmoothL1Loss HuberLoss KLDivLoss BCEWithLogitsLoss PoissonNLLLoss SoftMarginLoss ' +
      'MultiLabelSoftMarginLoss HingeEmbeddingLoss',
    none,
    () => [t(3, 4), t(3, 4)],
  );
  module('BCELoss', none, () => [t(3, 4).abs(), t(3, 4).abs()]);
  module('CrossEntropyLoss NLLLoss MultiMarginLoss', none, () => [t(3, 4), i(4, 3)]);
  module('MultiLabelMarginLoss', none, () => [t(3, 4), i(4, 3, 4)]);
  module('CosineEmbeddingLoss MarginRankingLoss', none, () => [t(3), t(3), t(3)]);
  module('TripletMarginLoss', none, () => [t(3, 4), t(3, 4), t(3, 4)]);
  module('GaussianNLLLoss', none, () => [t(3), t(3), t(3).abs()]);
  module('Module', none, () => [t(2)]);
  const layers = (): nn.Module[] => [new nn.Linear(4, 4), new nn.ReLU()];
  module('Sequential', layers, () => [t(2, 4)]);
  module(
    'ModuleList',
    () => [layers()],
    () => [t(2, 4)],
  );
  module(
    'ModuleDict',
    () => [{ a: new nn.Linear(2, 2) }],
    () => [t(2, 4)],
  );
  module(
    'ParameterList',
    () => [[maker.parameter(2)]],
    () => [t(2, 4)],
  );
  module(
    'ParameterDict',
    () => [{ a: maker.parameter(2) }],
    () => [t(2, 4)],
  );
  out['nn.Buffer'] = { make: () => [t(2, 3), false] };
  out['nn.utils.parametrize.ParametrizationList'] = {
    make: () => [new nn.Identity(), maker.parameter(2)],
    calls: { '': none },
  };
  out['nn.Parameter'] = { make: () => [t(2, 3), true] };
  out['nn.utils.rnn.PackedSequence'] = { make: () => [t(4, 2), tensor([2, 2], { dtype: 'int64' })] };

  const step = {
    step: none,
    zeroGrad: none,
    loadStateDict: () => [maker.optimizer().stateDict()],
    addParamGroup: () => [{ params: [maker.parameter(2)] }],
  };
  for (const name of 'SGD Adam AdamW Adamax NAdam RAdam RMSprop Rprop Adagrad Adadelta Adafactor ASGD Muon'.split(
    ' ',
  )) {
    out[`optim.${name}`] = { make: () => [[maker.parameter(2, 3)], { lr: 0.01 }], calls: step };
  }
  out['optim.LBFGS'] = {
    make: () => [[maker.parameter(2, 3)], { lr: 0.01 }],
    calls: { ...step, step: () => [() => t(2).sum().requiresGrad_()] },
  };
  out['optim.Optimizer'] = { make: () => [[maker.parameter(2, 3)], {}], calls: step };
  const scheduler = (name: string, ...args: unknown[]): void => {
    out[`optim.lrScheduler.${name}`] = {
      make: () => [maker.optimizer(), ...args],
      calls: { step: none, loadStateDict: () => [{ last_epoch: 1, _step_count: 2 }] },
    };
  };
  scheduler('ConstantLR', 0.5, 3);
  scheduler('LinearLR', 0.5, 1, 3);
  scheduler('CosineAnnealingLR', 5);
  scheduler('CosineAnnealingWarmRestarts', 5, 2);
  scheduler('CyclicLR', 0.1, 0.2, 3);
  scheduler('ExponentialLR', 0.9);
  scheduler('LambdaLR', (n: number) => 0.9 ** n);
  scheduler('MultiplicativeLR', () => 0.9);
  scheduler('MultiStepLR', [1, 3]);
  scheduler('OneCycleLR', 0.1, 10);
  scheduler('PolynomialLR', 5, 2);
  scheduler('StepLR', 2, 0.5);
  scheduler('LRScheduler');
  out['optim.lrScheduler.ReduceLROnPlateau'] = {
    make: () => [maker.optimizer(), 'min', 0.5, 1],
    calls: { step: () => [1] },
  };
  out['optim.lrScheduler.ChainedScheduler'] = {
    make: () => [[new optim.lrScheduler.StepLR(maker.optimizer(), 2)]],
    calls: { step: none },
  };
  out['optim.lrScheduler.SequentialLR'] = {
    make: () => {
      const optimizer = maker.optimizer();
      return [
        optimizer,
        [new optim.lrScheduler.ConstantLR(optimizer), new optim.lrScheduler.StepLR(optimizer, 2)],
        [2],
      ];
    },
    calls: { step: none },
  };
  out['optim.swaUtils.SWALR'] = { make: () => [maker.optimizer(), 0.05], calls: { step: none } };

  out['optim.swaUtils.AveragedModel'] = {
    make: () => [new nn.Linear(4, 2)],
    calls: { '': () => [t(2, 4)], updateParameters: () => [new nn.Linear(4, 2)] },
  };

  out.Generator = { make: none, calls: { manualSeed: () => [1], setState: () => [t(3)] } };
  out['cuda.amp.GradScaler'] = { make: () => [{ initScale: 4 }] };
  out['amp.GradScaler'] = {
    make: () => ['cpu', { initScale: 4 }],
    calls: {
      scale: () => [t(1).requiresGrad_().mul(1)],
      step: () => [maker.optimizer()],
      unscale_: () => [maker.optimizer()],
      update: none,
    },
  };
  const data = 'utils.data.';
  out[`${data}DataLoader`] = { make: () => [[1, 2, 3], { batchSize: 2, shuffle: true }] };
  out[`${data}TensorDataset`] = { make: () => [t(3, 2), t(3)], calls: { getItem: () => [1] } };
  out[`${data}ConcatDataset`] = { make: () => [[[1, 2], [3]]], calls: { getItem: () => [2] } };
  out[`${data}StackDataset`] = {
    make: () => [
      [1, 2],
      [3, 4],
    ],
    calls: { getItem: () => [1] },
  };
  out[`${data}Subset`] = {
    make: () => [
      [1, 2, 3],
      [2, 0],
    ],
    calls: { getItem: () => [1] },
  };
  out[`${data}ChainDataset`] = { make: () => [[[1, 2], [3]]] };
  out[`${data}Dataset`] = { make: none };
  out[`${data}IterableDataset`] = { make: none };
  out[`${data}Sampler`] = { make: none };
  out[`${data}SequentialSampler`] = { make: () => [[1, 2, 3]] };
  out[`${data}RandomSampler`] = { make: () => [[1, 2, 3], { replacement: true, numSamples: 5 }] };
  out[`${data}SubsetRandomSampler`] = { make: () => [[0, 2]] };
  out[`${data}WeightedRandomSampler`] = { make: () => [[0.1, 0.9], 4] };
  out[`${data}DistributedSampler`] = { make: () => [[1, 2, 3], 2, 1] };
  out[`${data}BatchSampler`] = { make: () => [new utils.data.SequentialSampler([1, 2, 3]), 2, false] };
  out['utils.tensorboard.SummaryWriter'] = {
    make: () => ['runs'],
    calls: {
      addScalar: () => ['a', 1, 2],
      addHistogram: () => ['h', t(9), 1],
      addImage: () => ['i', t(3, 4, 4).abs(), 1],
      addText: () => ['t', 'x'],
      addScalars: () => ['s', { a: 1 }],
      close: none,
    },
  };
  out['autograd.Function'] = { make: none };
  const averages = (): profiler.EventList => profiler.profile(() => t(2).add(1)).keyAverages();
  out['profiler.Profile'] = { make: none, calls: { keyAverages: none, step: none } };
  out['profiler.EventList'] = {
    make: none,
    instance: () => averages(),
    calls: { table: () => [{ sortBy: 'count', rowLimit: 2 }] },
  };
  out['profiler.FunctionEventAvg'] = { make: none, instance: () => averages()[0] };
  out.Slice = { make: () => [0, 2, 1] };
  return out;
}
