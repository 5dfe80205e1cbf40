/**
 * Every constructor, function and method of optimizers, schedulers, data, autograd, amp, the profiler and TensorBoard,
 * called with arguments of the wrong kind: it works or ends in a typed error, never in one of JavaScript's own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import {
  amp,
  autograd,
  enableGrad,
  inferenceMode,
  NodegradError,
  nn,
  noGrad,
  optim,
  profiler,
  setGradEnabled,
  tensor,
  utils,
} from '../../lib/index.js';

type Call = (...args: unknown[]) => unknown;
const parameter = (): ReturnType<typeof tensor> => tensor([1, 2], { requiresGrad: true });
const sgd = (): optim.SGD => new optim.SGD([parameter()], { lr: 0.1, momentum: 0.9 });

/** No booleans: modes of the whole process take them. */
const odd = (): unknown[] => [
  undefined,
  null,
  5,
  -1,
  0.5,
  Number.NaN,
  'x',
  '',
  [],
  [[1]],
  [null],
  {},
  { x: 1 },
  { length: 2 },
  () => 1,
  Symbol('s'),
  10n,
  new Map([[1, 2]]),
  tensor(1),
  tensor([1, 2]),
  new Date(0),
];

/** Lists of arguments: each odd value alone, after a good first argument, and by name. */
function argumentLists(good: readonly unknown[]): unknown[][] {
  const values = odd();
  const lists: unknown[][] = [[], ...values.map((value) => [value]), ...values.map((value) => [value, value])];
  for (let n = 1; n <= good.length + 2; n++) {
    const start = Array.from({ length: n }, (_, i) => good[i]);
    lists.push(...values.map((value) => [...start, value]));
  }
  return lists;
}

const isClass = (value: unknown): boolean =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
const isErrorClass = (value: unknown): boolean => typeof value === 'function' && value.prototype instanceof Error;

/** An argument in a message: the class of an object, the value of anything else. */
function shortName(arg: unknown): string {
  if (typeof arg === 'object' && arg !== null) return arg.constructor.name;
  return typeof arg === 'function' ? 'function' : String(arg);
}

/** What is wrong with one call, or undefined. */
async function fault(name: string, call: Call, args: unknown[]): Promise<string | undefined> {
  try {
    await call(...args);
  } catch (error) {
    if (!(error instanceof NodegradError)) return `${name}(${args.map(shortName).join(', ')}): ${String(error)}`;
  }
  return undefined;
}
async function faults(name: string, call: Call, good: readonly unknown[] = []): Promise<string[]> {
  const found: string[] = [];
  for (const args of argumentLists(good)) {
    const wrong = await fault(name, call, args);
    if (wrong !== undefined) found.push(wrong);
  }
  return found;
}

const namespaces: Record<string, { names: object; good: () => unknown[] }> = {
  optim: { names: optim, good: () => [[parameter()]] },
  'optim.lrScheduler': { names: optim.lrScheduler, good: () => [sgd()] },
  'optim.swaUtils': { names: optim.swaUtils, good: () => [new nn.Linear(2, 2)] },
  autograd: {
    names: { ...autograd, noGrad, enableGrad, inferenceMode, setGradEnabled },
    good: () => [parameter().sum()],
  },
  amp: { names: amp, good: () => ['cpu'] },
  'utils.data': { names: utils.data, good: () => [[1, 2, 3]] },
  'utils.tensorboard': { names: utils.tensorboard, good: () => ['runs'] },
  'utils.checkpoint': { names: utils.checkpoint, good: () => [(x: unknown) => x] },
  profiler: { names: profiler, good: () => [() => 1] },
};

/** Instances whose methods are called, and a good first argument of methods that need one. */
const instances: Record<string, () => object> = {
  SGD: sgd,
  Adam: () => new optim.Adam([parameter()]),
  LBFGS: () => new optim.LBFGS([parameter()]),
  StepLR: () => new optim.lrScheduler.StepLR(sgd(), 2),
  SequentialLR: () => {
    const optimizer = sgd();
    return new optim.lrScheduler.SequentialLR(optimizer, [new optim.lrScheduler.StepLR(optimizer, 1)], []);
  },
  ChainedScheduler: () => new optim.lrScheduler.ChainedScheduler([new optim.lrScheduler.StepLR(sgd(), 1)]),
  MultiStepLR: () => new optim.lrScheduler.MultiStepLR(sgd(), [2]),
  CosineAnnealingWarmRestarts: () => new optim.lrScheduler.CosineAnnealingWarmRestarts(sgd(), 2),
  OneCycleLR: () => new optim.lrScheduler.OneCycleLR(sgd(), 1, 100),
  ReduceLROnPlateau: () => new optim.lrScheduler.ReduceLROnPlateau(sgd()),
  AveragedModel: () => new optim.swaUtils.AveragedModel(new nn.Linear(2, 2)),
  GradScaler: () => new amp.GradScaler(),
  DataLoader: () => new utils.data.DataLoader([1, 2, 3]),
  TensorDataset: () => new utils.data.TensorDataset(tensor([1, 2])),
  ConcatDataset: () => new utils.data.ConcatDataset([[1], [2]]),
  Subset: () => new utils.data.Subset([1, 2], [0]),
  StackDataset: () => new utils.data.StackDataset([1], [2]),
  DistributedSampler: () => new utils.data.DistributedSampler([1, 2], 2, 0),
  SummaryWriter: () => new utils.tensorboard.SummaryWriter('runs'),
  profile: () => profiler.profile(() => tensor(1).add(1)),
};

function methodsOf(value: object): string[] {
  const names = new Set<string>();
  for (
    let p: object | null = Object.getPrototypeOf(value) as object | null;
    p !== null && p !== Object.prototype && p !== Function.prototype;
    p = Object.getPrototypeOf(p) as object | null
  )
    for (const name of Object.getOwnPropertyNames(p)) {
      const descriptor = Object.getOwnPropertyDescriptor(p, name);
      if (name !== 'constructor' && typeof descriptor?.value === 'function') names.add(name);
    }
  return [...names];
}
/** Methods that TypeScript keeps from users, or that are the base class's of another suite. */
const INTERNAL =
  /^(checkGroup|update|upgradeGroup|checksStateShape|observeStep|settle|begin|beginEarly|undo|startOver|moveTo|setRates|putRates|closedForm|callStep|__.*)$/;
const isPrivate = (instance: object, name: string): boolean =>
  INTERNAL.test(name) || !PUBLIC[instance.constructor.name]?.includes(name);
const OPTIMIZER = [
  'addParamGroup',
  'zeroGrad',
  'step',
  'stateDict',
  'loadStateDict',
  'registerStepPreHook',
  'registerStepPostHook',
  'registerStateDictPreHook',
  'registerStateDictPostHook',
  'registerLoadStateDictPreHook',
  'registerLoadStateDictPostHook',
  'toString',
];
const SCHEDULER = ['step', 'getLr', 'getLastLr', 'stateDict', 'loadStateDict'];
const WRITER = [
  'addScalar',
  'addScalars',
  'addHistogram',
  'addImage',
  'addImages',
  'addText',
  'addHparams',
  'flush',
  'close',
  'getLogdir',
];
const PUBLIC: Record<string, string[]> = {
  ...Object.fromEntries(['SGD', 'Adam', 'LBFGS'].map((name) => [name, OPTIMIZER])),
  ...Object.fromEntries(
    [
      'StepLR',
      'SequentialLR',
      'ChainedScheduler',
      'MultiStepLR',
      'CosineAnnealingWarmRestarts',
      'OneCycleLR',
      'ReduceLROnPlateau',
    ].map((name) => [name, SCHEDULER]),
  ),
  AveragedModel: ['updateParameters'],
  GradScaler: [
    'scale',
    'unscale_',
    'step',
    'update',
    'setGrowthFactor',
    'setBackoffFactor',
    'setGrowthInterval',
    'loadStateDict',
    'stateDict',
  ],
  DataLoader: ['prepare', 'close'],
  TensorDataset: ['getItem'],
  ConcatDataset: ['getItem'],
  Subset: ['getItem'],
  StackDataset: ['getItem'],
  DistributedSampler: ['setEpoch'],
  SummaryWriter: WRITER,
  Profile: ['start', 'stop', 'step', 'events', 'keyAverages', 'exportChromeTrace'],
};

describe('odd arguments', function () {
  this.timeout(60_000);
  const home = process.cwd();
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-odd-'));
    process.chdir(folder);
  });
  after(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true });
  });

  for (const [space, { names, good }] of Object.entries(namespaces)) {
    for (const [name, value] of Object.entries(names)) {
      // EventList is an Array and made by one's constructor; errors are Error's.
      if (typeof value !== 'function' || isErrorClass(value) || name === 'EventList') continue;
      it(`${space}.${name}`, async () => {
        const call: Call = isClass(value)
          ? (...args) => new (value as new (...args: unknown[]) => unknown)(...args)
          : (value as Call);
        expect((await faults(name, call, good())).join('\n')).to.equal('');
      });
    }
  }

  for (const [name, make] of Object.entries(instances)) {
    it(`methods of ${name}`, async () => {
      const found: string[] = [];
      for (const method of methodsOf(make())) {
        if (isPrivate(make(), method)) continue;
        for (const args of argumentLists(/^add[A-Z]/.test(method) ? ['tag', tensor([1, 2])] : [])) {
          const instance = make() as Record<string, Call>;
          const wrong = await fault(`${name}.${method}`, (...given) => instance[method](...given), args);
          // A profile that was started would record all that the tests after this one do.
          if ((instance as unknown) instanceof profiler.Profile) instance.abandon();
          if (wrong !== undefined) found.push(wrong);
        }
      }
      expect(found.join('\n')).to.equal('');
    });
  }
});
