/**
 * Convolution and pooling as their definitions read, in float64 and plain loops: what the kernels are compared with.
 */

export interface NaiveGeometry {
  n: number;
  c: number;
  k: number;
  groups: number;
  in: number[];
  kernel: number[];
  out: number[];
  stride: number[];
  pad: number[];
  dilation: number[];
}

/** The output size of a dimension. */
export function outputSize(g: Omit<NaiveGeometry, 'out'>, d: number): number {
  return Math.floor((g.in[d] + 2 * g.pad[d] - g.dilation[d] * (g.kernel[d] - 1) - 1) / g.stride[d]) + 1;
}

/** Calls visit(y index, x index, weight index) for every product in a two-dimensional convolution. */
export function eachProduct(g: NaiveGeometry, visit: (y: number, x: number, weight: number) => void): void {
  const cg = g.c / g.groups;
  const kg = g.k / g.groups;
  const [h, w] = g.in;
  const [r, s] = g.kernel;
  const [p, q] = g.out;
  for (let n = 0; n < g.n; n++)
    for (let k = 0; k < g.k; k++)
      for (let i = 0; i < p; i++)
        for (let j = 0; j < q; j++)
          for (let c = 0; c < cg; c++)
            for (let a = 0; a < r; a++)
              for (let b = 0; b < s; b++) {
                const y = i * g.stride[0] - g.pad[0] + a * g.dilation[0];
                const x = j * g.stride[1] - g.pad[1] + b * g.dilation[1];
                if (y < 0 || y >= h || x < 0 || x >= w) continue;
                const channel = Math.floor(k / kg) * cg + c;
                visit(
                  ((n * g.k + k) * p + i) * q + j,
                  ((n * g.c + channel) * h + y) * w + x,
                  ((k * cg + c) * r + a) * s + b,
                );
              }
}
