/**
 * Gradient descent seen from above: a cost function of two variables, its gradient field, and the paths of several
 * learning rates and optimizers, drawn as a picture. Usage: npm run example:gradient-descent [-- --out FILE]
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { autograd, optim, stack, type Tensor, tensor } from 'nodegrad';
import { chartToPng } from '../drawing/render.js';

const { values: args } = parseArgs({ options: { out: { type: 'string', default: 'runs/gradient-descent.png' } } });

/** A valley that bends: f(x, y) = x^2 / 2 + 2 (y - sin(x))^2, lowest at (0, 0). */
function cost(point: Tensor): Tensor {
  const x = point.select(-1, 0);
  const y = point.select(-1, 1);
  return x.square().div(2).add(y.sub(x.sin()).square().mul(2));
}

const X = [-5.5, 3.5] as const;
const Y = [-2.5, 2.5] as const;
const grid = (low: number, high: number, n: number): number[] =>
  Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));

/** Cost and gradient at every point of a grid, in one call each. */
function field(columns: number, rows: number): { x: number; y: number; cost: number; dx: number; dy: number }[] {
  const points = grid(...Y, rows).flatMap((y) => grid(...X, columns).map((x) => [x, y]));
  const at = tensor(points, { requiresGrad: true });
  const values = cost(at);
  const [gradient] = autograd.grad(values.sum(), at);
  const costs = values.tolist() as number[];
  const slopes = gradient!.tolist() as number[][];
  return points.map(([x, y], i) => ({ x, y, cost: costs[i], dx: slopes[i][0], dy: slopes[i][1] }));
}

/** The points that an optimizer visits from (-3, 2). */
function descend(
  name: string,
  make: (parameters: Tensor[]) => optim.Optimizer,
  steps = 60,
): { x: number; y: number; step: number; name: string }[] {
  const point = tensor([-3, 2], { requiresGrad: true });
  const optimizer = make([point]);
  const visited: Tensor[] = [point.detach().clone()];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    cost(point).backward();
    optimizer.step();
    visited.push(point.detach().clone());
  }
  return (stack(visited).tolist() as number[][]).map(([x, y], step) => ({ x, y, step, name }));
}

const paths = [
  ...descend('SGD, rate 0.02', (p) => new optim.SGD(p, { lr: 0.02 })),
  ...descend('SGD, rate 0.2', (p) => new optim.SGD(p, { lr: 0.2 })),
  ...descend('SGD, rate 0.05, momentum 0.9', (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9 })),
  ...descend('Adam, rate 0.3', (p) => new optim.Adam(p, { lr: 0.3 })),
  ...descend('RMSprop, rate 0.1', (p) => new optim.RMSprop(p, { lr: 0.1 })),
];

const cells = field(181, 101);
// Arrows of equal length against the gradient: where a step would go.
const arrows = field(27, 15).map(({ x, y, dx, dy }) => {
  const length = Math.hypot(dx, dy) || 1;
  const tip = { x: x - (0.22 * dx) / length, y: y - (0.22 * dy) / length };
  return { x, y, x2: tip.x, y2: tip.y, angle: (Math.atan2(-dx, -dy) * 180) / Math.PI };
});

const position = {
  x: { field: 'x', type: 'quantitative' as const, title: 'x', scale: { domain: [...X], nice: false } },
  y: { field: 'y', type: 'quantitative' as const, title: 'y', scale: { domain: [...Y], nice: false } },
};
mkdirSync(path.dirname(args.out), { recursive: true });
await chartToPng(
  {
    title: 'f(x, y) = x²/2 + 2 (y − sin x)²: descent directions and the paths of five optimizers',
    width: 900,
    height: 600,
    layer: [
      {
        data: { values: cells },
        mark: { type: 'square', size: 42, opacity: 1, clip: true },
        encoding: {
          ...position,
          color: { field: 'cost', type: 'quantitative', scale: { type: 'sqrt', scheme: 'greys' }, title: 'cost' },
        },
      },
      {
        data: { values: arrows },
        mark: { type: 'rule', color: '#555', opacity: 0.7, clip: true },
        encoding: { ...position, x2: { field: 'x2' }, y2: { field: 'y2' } },
      },
      {
        data: { values: arrows },
        mark: { type: 'point', shape: 'triangle', filled: true, size: 18, color: '#555', clip: true },
        encoding: {
          x: { field: 'x2', type: 'quantitative', title: 'x' },
          y: { field: 'y2', type: 'quantitative', title: 'y' },
          angle: { field: 'angle', type: 'quantitative', scale: null },
        },
      },
      {
        data: { values: paths },
        mark: { type: 'line', strokeWidth: 2.5, clip: true },
        encoding: {
          ...position,
          order: { field: 'step' },
          stroke: {
            field: 'name',
            type: 'nominal',
            title: 'optimizer',
            scale: { scheme: 'category10' },
            legend: { labelLimit: 300 },
          },
        },
      },
    ],
    resolve: { scale: { color: 'independent' } },
  },
  args.out,
);
console.log(`drawn: ${args.out}`);
