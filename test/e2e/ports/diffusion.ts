/** diffusion.py in nodegrad, line by line. */
import {
  arange,
  cat,
  cuda,
  cumprod,
  ellipsis,
  exp,
  full,
  linspace,
  manualSeed,
  meshgrid,
  nn,
  noGrad,
  optim,
  rand,
  randint,
  randn,
  randnLike,
  slice,
  sqrt,
  type Tensor,
} from 'nodegrad';

const F = nn.functional;

class SinusoidalPosEmb extends nn.Module {
  constructor(public dim: number) {
    super();
  }

  override forward(x: Tensor): Tensor {
    const { device } = x;
    const halfDim = this.dim / 2;
    const scale = Math.log(10000) / (halfDim - 1);
    let emb = exp(arange(halfDim, { device }).mul(-scale));
    emb = x.index([slice(), null]).mul(emb.index([null, slice()]));
    emb = cat([emb.sin(), emb.cos()], { dim: -1 });
    return emb;
  }
}

class ResnetBlock extends nn.Module {
  mlp: nn.Sequential;
  norm1: nn.GroupNorm;
  conv1: nn.Conv2d;
  norm2: nn.GroupNorm;
  conv2: nn.Conv2d;
  resConv: nn.Conv2d | nn.Identity;

  constructor(dim: number, dimOut: number, { timeEmbDim, groups = 4 }: { timeEmbDim: number; groups?: number }) {
    super();
    this.mlp = new nn.Sequential(new nn.SiLU(), new nn.Linear(timeEmbDim, dimOut * 2));
    this.norm1 = new nn.GroupNorm(groups, dim);
    this.conv1 = new nn.Conv2d(dim, dimOut, 3, { padding: 1 });
    this.norm2 = new nn.GroupNorm(groups, dimOut);
    this.conv2 = new nn.Conv2d(dimOut, dimOut, 3, { padding: 1 });
    this.resConv = dim !== dimOut ? new nn.Conv2d(dim, dimOut, 1) : new nn.Identity();
  }

  override forward(x: Tensor, time: Tensor): Tensor {
    const timeEmb = this.mlp(time).index([ellipsis, null, null]);
    const [scale, shift] = timeEmb.chunk(2, { dim: 1 });
    let h = this.conv1(F.silu(this.norm1(x)));
    h = this.norm2(h).mul(scale.add(1)).add(shift);
    h = this.conv2(F.silu(h));
    return h.add(this.resConv(x));
  }
}

class Denoiser extends nn.Module {
  initConv: nn.Conv2d;
  timeMlp: nn.Sequential;
  downs: nn.ModuleList<nn.ModuleList<nn.Module>>;
  ups: nn.ModuleList<nn.ModuleList<nn.Module>>;
  finalConv: nn.Conv2d;

  constructor(dim = 8, dimMults = [1, 2]) {
    super();
    const timeDim = dim * 4;
    this.initConv = new nn.Conv2d(1, dim, 3, { padding: 1 });
    this.timeMlp = new nn.Sequential(
      new SinusoidalPosEmb(dim),
      new nn.Linear(dim, timeDim),
      new nn.GELU(),
      new nn.Linear(timeDim, timeDim),
    );
    const dims = [dim, ...dimMults.map((m) => dim * m)];
    const inOut = dims.slice(1).map((dimOut, i) => [dims[i], dimOut]);
    this.downs = new nn.ModuleList([]);
    this.ups = new nn.ModuleList([]);
    for (const [dimIn, dimOut] of inOut) {
      this.downs.append(
        new nn.ModuleList([
          new ResnetBlock(dimIn, dimOut, { timeEmbDim: timeDim }),
          new nn.Conv2d(dimOut, dimOut, 4, 2, 1),
        ]),
      );
    }
    for (const [dimIn, dimOut] of [...inOut].reverse()) {
      this.ups.append(
        new nn.ModuleList([
          new nn.Upsample({ scaleFactor: 2, mode: 'nearest' }),
          new ResnetBlock(dimOut * 2, dimIn, { timeEmbDim: timeDim }),
        ]),
      );
    }
    this.finalConv = new nn.Conv2d(dim, 1, 1);
  }

  override forward(img: Tensor, time: Tensor): Tensor {
    let x = this.initConv(img);
    const t = this.timeMlp(time);
    const h: Tensor[] = [];
    for (const [block, downsample] of this.downs) {
      x = block(x, t);
      h.push(x);
      x = downsample(x);
    }
    for (const [upsample, block] of this.ups) {
      x = upsample(x);
      x = cat([x, h.pop()!], { dim: 1 });
      x = block(x, t);
    }
    return this.finalConv(x);
  }
}

function extract(a: Tensor, t: Tensor, xShape: readonly number[]): Tensor {
  const [b] = t.shape;
  const out = a.gather(-1, t);
  return out.reshape(b, ...Array<number>(xShape.length - 1).fill(1));
}

class GaussianDiffusion extends nn.Module {
  model: Denoiser;
  numTimesteps: number;
  declare betas: Tensor;
  declare sqrtAlphasCumprod: Tensor;
  declare sqrtOneMinusAlphasCumprod: Tensor;
  declare sqrtRecipAlphas: Tensor;
  declare posteriorVariance: Tensor;

  constructor(model: Denoiser, timesteps = 50) {
    super();
    this.model = model;
    this.numTimesteps = timesteps;
    const betas = linspace(1e-3, 0.2, timesteps, { dtype: 'float64' });
    const alphas = betas.neg().add(1);
    const alphasCumprod = cumprod(alphas, { dim: 0 });
    const alphasCumprodPrev = F.pad(alphasCumprod.index([slice(null, -1)]), [1, 0], { value: 1 });
    const registerBuffer = (name: string, val: Tensor): void => this.registerBuffer(name, val.to('float32'));
    registerBuffer('betas', betas);
    registerBuffer('sqrtAlphasCumprod', sqrt(alphasCumprod));
    registerBuffer('sqrtOneMinusAlphasCumprod', sqrt(alphasCumprod.neg().add(1)));
    registerBuffer('sqrtRecipAlphas', sqrt(alphas.reciprocal()));
    registerBuffer('posteriorVariance', betas.mul(alphasCumprodPrev.neg().add(1)).div(alphasCumprod.neg().add(1)));
  }

  qSample(xStart: Tensor, t: Tensor, noise: Tensor): Tensor {
    return extract(this.sqrtAlphasCumprod, t, xStart.shape)
      .mul(xStart)
      .add(extract(this.sqrtOneMinusAlphasCumprod, t, xStart.shape).mul(noise));
  }

  pSample(x: Tensor, t: number): Tensor {
    return noGrad(() => {
      const [b] = x.shape;
      const batchedTimes = full([b], t, { device: x.device, dtype: 'int64' });
      const eps = this.model(x, batchedTimes);
      const coef = extract(this.betas.div(this.sqrtOneMinusAlphasCumprod), batchedTimes, x.shape);
      const mean = extract(this.sqrtRecipAlphas, batchedTimes, x.shape).mul(x.sub(coef.mul(eps)));
      const noise = t > 0 ? randnLike(x) : 0;
      return mean.add(extract(this.posteriorVariance, batchedTimes, x.shape).sqrt().mul(noise));
    });
  }

  override forward(img: Tensor): Tensor {
    const t = randint(0, this.numTimesteps, [img.shape[0]], { device: img.device }).long();
    const noise = randnLike(img);
    const x = this.qSample(img, t, noise);
    return F.mseLoss(this.model(x, t), noise);
  }
}

class EMA {
  constructor(public beta: number) {}

  updateModelAverage(maModel: nn.Module, currentModel: nn.Module): void {
    const current = currentModel.parameters();
    for (const [i, maParams] of maModel.parameters().entries()) {
      const [oldWeight, upWeight] = [maParams.data, current[i].data];
      maParams.data = oldWeight.mul(this.beta).add(upWeight.mul(1 - this.beta));
    }
  }
}

function blobs(count: number): Tensor {
  const grid = linspace(-1, 1, 8);
  const [y, x] = meshgrid(grid, grid, { indexing: 'ij' });
  const center = rand(count, 2, 1, 1).sub(0.5);
  const distance = y
    .sub(center.index([slice(), 0]))
    .pow(2)
    .add(x.sub(center.index([slice(), 1])).pow(2));
  return exp(distance.mul(-4)).mul(2).sub(1).unsqueeze(1);
}

export function main(): number[] {
  manualSeed(4);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const diffusion = new GaussianDiffusion(new Denoiser()).to(device);
  const opt = new optim.Adam(diffusion.parameters(), { lr: 2e-3, betas: [0.9, 0.99] });
  const emaModel = nn.deepcopy(diffusion);
  const ema = new EMA(0.8);

  const losses: number[] = [];
  for (let step = 0; step < 30; step++) {
    let totalLoss = 0;
    for (let i = 0; i < 2; i++) {
      const loss = diffusion(blobs(4).to(device)).div(2);
      totalLoss += loss.item();
      loss.backward();
    }
    nn.utils.clipGradNorm_(diffusion.parameters(), 1.0);
    opt.step();
    opt.zeroGrad();
    if (step % 3 === 0) ema.updateModelAverage(emaModel, diffusion);
    losses.push(totalLoss);
  }

  emaModel.eval();
  let img = randn(2, 1, 8, 8, { device });
  for (let t = 9; t >= 0; t--) img = emaModel.pSample(img, t);
  losses.push(img.mean().item());
  losses.push(img.std().item());
  return losses;
}
