/**
 * The layers of lib/, from the lowest to the highest, and the rules of its imports: no file imports a higher layer, no
 * two files import each other, directly or round about, and every file has a layer. Imports of types count. Checked by
 * test/structure/layers.test.ts; drawn in docs/architecture.md.
 */

/** Rooms of one layer may import each other as far as no circle comes of it. */
export const LAYERS = [
  { name: 'foundation', rooms: ['errors.ts', 'arguments.ts', 'scoped-value.ts', 'disposable.ts', 'file-name.ts'] },
  { name: 'shapes', rooms: ['shape'] },
  { name: 'native', rooms: ['native', 'checksum.ts'] },
  { name: 'storage', rooms: ['storage'] },
  { name: 'tensor', rooms: ['tensor', 'state-dict.ts'] },
  { name: 'autograd', rooms: ['autograd', 'random'] },
  { name: 'dispatch', rooms: ['dispatch', 'printing'] },
  { name: 'core operators', rooms: ['ops/core'] },
  { name: 'views', rooms: ['ops/creation', 'ops/views'] },
  { name: 'indexing', rooms: ['ops/indexing'] },
  { name: 'elementwise', rooms: ['ops/elementwise'] },
  { name: 'reductions', rooms: ['ops/activations', 'ops/random', 'ops/reductions'] },
  { name: 'products', rooms: ['ops/products', 'ops/spatial'] },
  { name: 'composed operators', rooms: ['ops/linalg', 'ops/movement', 'ops/sequence'] },
  { name: 'losses', rooms: ['ops/losses', 'ops/normalisation', 'ops/index.ts', 'linalg'] },
  { name: 'modules', rooms: ['nn'] },
  { name: 'training', rooms: ['optim', 'serialization', 'data', 'tensorboard', 'tqdm'] },
  { name: 'tools', rooms: ['amp', 'profiler'] },
  { name: 'namespaces', rooms: ['devices', 'utils'] },
  { name: 'public', rooms: ['index.ts'] },
];

/** The layers of native/, from the lowest to the highest. test/structure/layers.test.ts reads the includes itself. */
export const NATIVE_LAYERS = [
  { name: 'runtime', rooms: ['runtime'] },
  { name: 'binding', rooms: ['bind'] },
  { name: 'vectors', rooms: ['kernels/simd'] },
  { name: 'products', rooms: ['kernels/products', 'kernels/reductions'] },
  {
    name: 'kernels',
    rooms: [
      'kernels/conv',
      'kernels/elementwise',
      'kernels/linalg',
      'kernels/losses',
      'kernels/movement',
      'kernels/normalisation',
      'kernels/optim',
      'kernels/random',
      'kernels/sequence',
      'kernels/spatial',
    ],
  },
  { name: 'indexing', rooms: ['kernels/indexing'] },
  { name: 'families', rooms: ['kernels/kernels.h', 'kernels/kernels.cc'] },
  { name: 'addon', rooms: ['addon.cc'] },
];

/** A room's files, as a regular expression of their paths. */
const filesOf = (rooms) => rooms.map((room) => `^lib/${room.endsWith('.ts') ? room.replace('.', '\\.') : `${room}/`}`);

export default {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    ...LAYERS.slice(0, -1).map(({ name, rooms }, i) => ({
      name: `nothing-above-${name.replaceAll(' ', '-')}`,
      severity: 'error',
      from: { path: filesOf(rooms) },
      to: { path: filesOf(LAYERS.slice(i + 1).flatMap((layer) => layer.rooms)) },
    })),
    {
      name: 'a-layer-for-every-file',
      severity: 'error',
      from: {},
      to: { path: '^lib/', pathNot: filesOf(LAYERS.flatMap(({ rooms }) => rooms)) },
    },
    {
      name: 'nothing-outside-lib',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(test|scripts|bench|examples)/' },
    },
    {
      name: 'no-development-package',
      severity: 'error',
      from: { path: '^lib/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
};
