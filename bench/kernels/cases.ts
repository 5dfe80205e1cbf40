/** What the kernel bench measures. torch_kernels.py beside the workloads has the same list by the same names. */
import { autograd, manualSeed, nn, noGrad, optim, rand, randint, randn, type Tensor } from 'nodegrad';

/** C = A B of m x k and k x n: the shapes of measurements of this kind of machine, and squares. */
export const GEMMS: readonly string[] = [
  '64x64x64',
  '128x128x128',
  '512x512x512',
  '1024x1024x1024',
  '2048x2048x2048',
  '32x784x256',
  '64x576x16384',
  '64x27x65536',
];
/** N, C, K, H = W of 3x3 convolutions with padding 1. */
export const CONVOLUTIONS: readonly string[] = [
  '4,64,64,32',
  '1,64,64,128',
  '1,128,128,64',
  '1,512,512,16',
  '32,64,64,32',
  '32,128,128,16',
];
export const PASSES = ['forward', 'to input', 'to weight'] as const;

export function numbers(name: string): number[] {
  return name.split(/[x,]/).map(Number);
}
/** Multiplications and additions of a case of either list. */
export function flops(name: string): number {
  if (name.includes('x')) return numbers(name).reduce((a, b) => a * b, 2);
  const [n, c, k, size] = numbers(name);
  return 2 * n * c * k * size * size * 9;
}

type Work = () => unknown;

export function gemm(name: string): Work {
  const [m, k, n] = numbers(name);
  const [a, b] = [randn([m, k]), randn([k, n])];
  return () => a.mm(b);
}

/** The derivative alone, of a graph that was recorded once. */
function backward(y: Tensor, input: Tensor): Work {
  const gradOutputs = y.numel() === 1 ? undefined : randn([...y.shape]);
  return () => autograd.grad(y, input, { gradOutputs, retainGraph: true });
}

export function convolution(name: string, pass: (typeof PASSES)[number]): Work {
  const [n, c, k, size] = numbers(name);
  const x = randn([n, c, size, size]);
  const w = randn([k, c, 3, 3]);
  const run = (): Tensor => nn.functional.conv2d(x, w, { padding: 1 });
  if (pass === 'forward') return run;
  const input = (pass === 'to input' ? x : w).requiresGrad_();
  return backward(run(), input);
}

/**
 * A case that memory bounds: the elements of four bytes that it needs to move, each array read or written once; and
 * what it does.
 */
export interface Traffic {
  readonly elements: number;
  readonly make: () => Work;
}
const LARGE = 16 * 2 ** 20;
const F = nn.functional;

function pointwise(fn: (x: Tensor) => Tensor): Traffic {
  const make = (): Work => {
    const x = randn([LARGE]);
    return () => noGrad(() => fn(x));
  };
  return { elements: 2 * LARGE, make };
}
function pair(fn: (x: Tensor, y: Tensor) => Tensor): Traffic {
  const make = (): Work => {
    const [x, y] = [randn([LARGE]), randn([LARGE])];
    return () => noGrad(() => fn(x, y));
  };
  return { elements: 3 * LARGE, make };
}
/**
 * `name` and `name backward` of the function that `make` makes: forward, and backward to x, which move so many times
 * the elements of x.
 */
function both(
  name: string,
  shape: readonly number[],
  moved: readonly [number, number],
  make: () => (x: Tensor) => Tensor,
): Record<string, Traffic> {
  const count = shape.reduce((a, b) => a * b, 1);
  const forward = (): Work => {
    const x = randn([...shape]);
    const fn = make();
    return () => noGrad(() => fn(x));
  };
  const derivative = (): Work => {
    const x = randn([...shape], { requiresGrad: true });
    return backward(make()(x), x);
  };
  return {
    [name]: { elements: moved[0] * count, make: forward },
    [`${name} backward`]: { elements: moved[1] * count, make: derivative },
  };
}

/** A weight and a bias. */
function pairOf(count: number): [Tensor, Tensor] {
  return [rand([count], { requiresGrad: true }), rand([count], { requiresGrad: true })];
}
function adam(): Work {
  const p = new nn.Parameter(randn([LARGE]));
  p.grad = randn([LARGE]);
  const optimizer = new optim.Adam([p], { lr: 1e-3 });
  return () => optimizer.step();
}

export const BANDWIDTH: Readonly<Record<string, Traffic>> = {
  relu: pointwise((x) => x.relu()),
  add: pair((x, y) => x.add(y)),
  mul: pair((x, y) => x.mul(y)),
  copy: pointwise((x) => x.clone()),
  exp: pointwise((x) => x.exp()),
  tanh: pointwise((x) => x.tanh()),
  sigmoid: pointwise((x) => x.sigmoid()),
  gelu: pointwise((x) => F.gelu(x)),
  erf: pointwise((x) => x.erf()),
  ...both('softmax', [16384, 1024], [2, 3], () => (x) => x.softmax(1)),
  ...both('layerNorm', [16384, 1024], [2, 3], () => {
    const affine = pairOf(1024);
    return (x) => F.layerNorm(x, [1024], ...affine);
  }),
  ...both('batchNorm', [16, 64, 128, 128], [2, 3], () => {
    const affine = pairOf(64);
    return (x) => F.batchNorm(x, null, null, ...affine, true);
  }),
  ...both('maxPool', [16, 64, 128, 128], [1.25, 1.25], () => (x) => F.maxPool2d(x, 2)),
  ...both('crossEntropy', [16384, 1000], [1, 2], () => {
    const target = randint(0, 1000, [16384]);
    return (x) => F.crossEntropy(x, target);
  }),
  adam: { elements: 7 * LARGE, make: adam },
};

/** The work of a case by its section and name. */
export function workOf(section: string, name: string): Work {
  manualSeed(0);
  if (section === 'gemm') return gemm(name);
  if (section === 'bandwidth') return BANDWIDTH[name].make();
  const [shape, pass] = name.split(' | ');
  return convolution(shape, pass as (typeof PASSES)[number]);
}
