/** nerf.py in nodegrad, line by line. */
import {
  cat,
  cos,
  cuda,
  cumprod,
  cumsum,
  ellipsis,
  exp,
  eye,
  gather,
  linspace,
  log,
  manualSeed,
  max,
  mean,
  meshgrid,
  min,
  nn,
  noGrad,
  norm,
  ones,
  onesLike,
  optim,
  pow,
  rand,
  randn,
  randperm,
  reshape,
  searchsorted,
  sigmoid,
  sin,
  slice,
  sort,
  split,
  sqrt,
  stack,
  sum,
  type Tensor,
  tensor,
  where,
  zerosLike,
} from 'nodegrad';

const F = nn.functional;

const img2mse = (x: Tensor, y: Tensor): Tensor => mean(x.sub(y).pow(2));
const mse2psnr = (x: Tensor): Tensor =>
  log(x)
    .mul(-10)
    .div(log(tensor([10])));

class Embedder {
  embedFns: ((x: Tensor) => Tensor)[];
  outDim: number;

  constructor(inputDims: number, numFreqs: number) {
    const freqBands = pow(2, linspace(0, numFreqs - 1, { steps: numFreqs }));
    const embedFns = [(x: Tensor) => x];
    let outDim = inputDims;
    for (const freq of freqBands) {
      for (const pFn of [sin, cos]) {
        embedFns.push((x) => pFn(x.mul(freq)));
        outDim += inputDims;
      }
    }
    this.embedFns = embedFns;
    this.outDim = outDim;
  }

  embed = (inputs: Tensor): Tensor =>
    cat(
      this.embedFns.map((fn) => fn(inputs)),
      -1,
    );
}

class NeRF extends nn.Module {
  inputCh: number;
  inputChViews: number;
  skips: number[];
  ptsLinears: nn.ModuleList<nn.Linear>;
  viewsLinears: nn.ModuleList<nn.Linear>;
  featureLinear: nn.Linear;
  alphaLinear: nn.Linear;
  rgbLinear: nn.Linear;

  constructor({ D = 4, W = 16, inputCh = 3, inputChViews = 3, skips = [2] } = {}) {
    super();
    this.inputCh = inputCh;
    this.inputChViews = inputChViews;
    this.skips = skips;
    this.ptsLinears = new nn.ModuleList([
      new nn.Linear(inputCh, W),
      ...Array.from({ length: D - 1 }, (_, i) =>
        this.skips.includes(i) ? new nn.Linear(W + inputCh, W) : new nn.Linear(W, W),
      ),
    ]);
    this.viewsLinears = new nn.ModuleList([new nn.Linear(inputChViews + W, Math.floor(W / 2))]);
    this.featureLinear = new nn.Linear(W, W);
    this.alphaLinear = new nn.Linear(W, 1);
    this.rgbLinear = new nn.Linear(Math.floor(W / 2), 3);
  }

  override forward(x: Tensor): Tensor {
    const [inputPts, inputViews] = split(x, [this.inputCh, this.inputChViews], { dim: -1 });
    let h = inputPts;
    for (let i = 0; i < this.ptsLinears.length; i++) {
      h = this.ptsLinears[i](h);
      h = F.relu(h);
      if (this.skips.includes(i)) h = cat([inputPts, h], -1);
    }
    const alpha = this.alphaLinear(h);
    const feature = this.featureLinear(h);
    h = cat([feature, inputViews], -1);
    for (let i = 0; i < this.viewsLinears.length; i++) {
      h = this.viewsLinears[i](h);
      h = F.relu(h);
    }
    const rgb = this.rgbLinear(h);
    return cat([rgb, alpha], -1);
  }
}

function getRays(H: number, W: number, focal: number, c2w: Tensor): [Tensor, Tensor] {
  let [i, j] = meshgrid(linspace(0, W - 1, W), linspace(0, H - 1, H), { indexing: 'ij' });
  i = i.t();
  j = j.t();
  const dirs = stack(
    [
      i.sub(W * 0.5).div(focal),
      j
        .sub(H * 0.5)
        .div(focal)
        .neg(),
      onesLike(i).neg(),
    ],
    -1,
  );
  // The dot product of each direction with each row of the camera's rotation.
  const raysD = sum(dirs.index([ellipsis, null, slice()]).mul(c2w.index([slice(null, 3), slice(null, 3)])), -1);
  const raysO = c2w.index([slice(null, 3), -1]).expand(raysD.shape);
  return [raysO, raysD];
}

function samplePdf(bins: Tensor, weights: Tensor, nSamples: number): Tensor {
  weights = weights.add(1e-5);
  const pdf = weights.div(sum(weights, -1, { keepdim: true }));
  let cdf = cumsum(pdf, -1);
  cdf = cat([zerosLike(cdf.index([ellipsis, slice(null, 1)])), cdf], -1);
  let u = rand([...cdf.shape.slice(0, -1), nSamples]);

  u = u.contiguous();
  const inds = searchsorted(cdf, u, { right: true });
  const below = max(zerosLike(inds.sub(1)), inds.sub(1));
  const above = min(onesLike(inds).mul(cdf.size(-1) - 1), inds);
  const indsG = stack([below, above], -1);

  const matchedShape = [indsG.shape[0], indsG.shape[1], cdf.size(-1)];
  const cdfG = gather(cdf.unsqueeze(1).expand(matchedShape), 2, indsG);
  const binsG = gather(bins.unsqueeze(1).expand(matchedShape), 2, indsG);

  let denom = cdfG.index([ellipsis, 1]).sub(cdfG.index([ellipsis, 0]));
  denom = where(denom.lt(1e-5), onesLike(denom), denom);
  const t = u.sub(cdfG.index([ellipsis, 0])).div(denom);
  return binsG.index([ellipsis, 0]).add(t.mul(binsG.index([ellipsis, 1]).sub(binsG.index([ellipsis, 0]))));
}

function raw2outputs(raw: Tensor, zVals: Tensor, raysD: Tensor, rawNoiseStd = 0): [rgbMap: Tensor, weights: Tensor] {
  const raw2alpha = (raw: Tensor, dists: Tensor, actFn = F.relu): Tensor =>
    exp(actFn(raw).neg().mul(dists)).neg().add(1);
  let dists = zVals.index([ellipsis, slice(1, null)]).sub(zVals.index([ellipsis, slice(null, -1)]));
  dists = cat([dists, tensor([1e10]).expand(dists.index([ellipsis, slice(null, 1)]).shape)], -1);
  dists = dists.mul(norm(raysD.index([ellipsis, null, slice()]), { dim: -1 }));

  const rgb = sigmoid(raw.index([ellipsis, slice(null, 3)]));
  let noise: Tensor | number = 0;
  if (rawNoiseStd > 0) noise = randn(raw.index([ellipsis, 3]).shape).mul(rawNoiseStd);
  const alpha = raw2alpha(raw.index([ellipsis, 3]).add(noise), dists);
  const transmittance = cumprod(cat([ones([alpha.shape[0], 1]), alpha.neg().add(1).add(1e-10)], -1), -1).index([
    slice(),
    slice(null, -1),
  ]);
  const weights = alpha.mul(transmittance);
  let rgbMap = sum(weights.index([ellipsis, null]).mul(rgb), -2);
  const accMap = sum(weights, -1);
  rgbMap = rgbMap.add(accMap.index([ellipsis, null]).neg().add(1));
  return [rgbMap, weights];
}

type Embed = (x: Tensor) => Tensor;
type Query = (inputs: Tensor, viewdirs: Tensor, network: NeRF) => Tensor;

function runNetwork(inputs: Tensor, viewdirs: Tensor, fn: NeRF, embedFn: Embed, embeddirsFn: Embed): Tensor {
  const inputsFlat = reshape(inputs, [-1, inputs.size(-1)]);
  let embedded = embedFn(inputsFlat);
  const inputDirs = viewdirs.index([slice(), null]).expand(inputs.shape);
  const inputDirsFlat = reshape(inputDirs, [-1, inputDirs.size(-1)]);
  embedded = cat([embedded, embeddirsFn(inputDirsFlat)], -1);
  const outputsFlat = fn(embedded);
  return reshape(outputsFlat, [...inputs.shape.slice(0, -1), outputsFlat.size(-1)]);
}

function renderRays(
  raysO: Tensor,
  raysD: Tensor,
  queryFn: Query,
  networkFn: NeRF,
  networkFine: NeRF,
  { near = 1, far = 3, nSamples = 8, nImportance = 8, perturb = 1, rawNoiseStd = 0.5 } = {},
): [Tensor, Tensor] {
  const nRays = raysO.shape[0];
  const viewdirs = raysD.div(norm(raysD, { dim: -1, keepdim: true }));
  const tVals = linspace(0, 1, { steps: nSamples });
  let zVals = tVals.neg().add(1).mul(near).add(tVals.mul(far));
  zVals = zVals.expand([nRays, nSamples]);
  if (perturb > 0) {
    const mids = zVals
      .index([ellipsis, slice(1, null)])
      .add(zVals.index([ellipsis, slice(null, -1)]))
      .mul(0.5);
    const upper = cat([mids, zVals.index([ellipsis, slice(-1, null)])], -1);
    const lower = cat([zVals.index([ellipsis, slice(null, 1)]), mids], -1);
    const tRand = rand(zVals.shape);
    zVals = lower.add(upper.sub(lower).mul(tRand));
  }
  const along = (z: Tensor): Tensor =>
    raysO
      .index([ellipsis, null, slice()])
      .add(raysD.index([ellipsis, null, slice()]).mul(z.index([ellipsis, slice(), null])));
  let raw = queryFn(along(zVals), viewdirs, networkFn);
  const [rgbMap0, weights] = raw2outputs(raw, zVals, raysD, rawNoiseStd);

  const zValsMid = zVals
    .index([ellipsis, slice(1, null)])
    .add(zVals.index([ellipsis, slice(null, -1)]))
    .mul(0.5);
  let zSamples = samplePdf(zValsMid, weights.index([ellipsis, slice(1, -1)]), nImportance);
  zSamples = zSamples.detach();
  [zVals] = sort(cat([zVals, zSamples], -1), -1);
  raw = queryFn(along(zVals), viewdirs, networkFine);
  const [rgbMap] = raw2outputs(raw, zVals, raysD, rawNoiseStd);
  return [rgbMap, rgbMap0];
}

/** The colours that rays see of a ball of radius 0.6: its normals, before white. */
function ball(raysO: Tensor, raysD: Tensor): Tensor {
  const d = raysD.div(raysD.norm({ dim: -1, keepdim: true }));
  const b = raysO.mul(d).sum(-1);
  const c = raysO.mul(raysO).sum(-1).sub(0.36);
  const disc = b.mul(b).sub(c);
  const t = b.neg().sub(sqrt(disc.clamp({ min: 0 })));
  const normal = F.normalize(raysO.add(t.unsqueeze(-1).mul(d)), { dim: -1 });
  return where(disc.gt(0).unsqueeze(-1), normal.mul(0.5).add(0.5), onesLike(normal));
}

export function main(): number[] {
  manualSeed(6);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const [embedder, embedderDirs] = [new Embedder(3, 3), new Embedder(3, 1)];
  const model = new NeRF({ inputCh: embedder.outDim, inputChViews: embedderDirs.outDim }).to(device);
  const gradVars = [...model.parameters()];
  const modelFine = new NeRF({ inputCh: embedder.outDim, inputChViews: embedderDirs.outDim }).to(device);
  gradVars.push(...modelFine.parameters());
  const queryFn: Query = (inputs, viewdirs, network) =>
    runNetwork(inputs, viewdirs, network, embedder.embed, embedderDirs.embed);
  const [lrate, lrateDecay] = [5e-3, 20];
  const optimizer = new optim.Adam({ params: gradVars, lr: lrate, betas: [0.9, 0.999] });

  const [H, W, focal] = [10, 10, 10];
  const pose = eye(4);
  pose.indexPut_([2, 3], 2);
  const [raysO, raysD] = getRays(H, W, focal, pose.index([slice(null, 3), slice(null, 4)]));
  const target = ball(raysO, raysD).to(device);
  let coords = stack(meshgrid(linspace(0, H - 1, H), linspace(0, W - 1, W), { indexing: 'ij' }), -1);
  coords = reshape(coords, [-1, 2]);

  const losses: number[] = [];
  let globalStep = 0;
  for (let i = 0; i < 30; i++) {
    const selectInds = randperm(coords.shape[0]).index([slice(null, 24)]);
    const selectCoords = coords.index([selectInds]).long();
    const pixels = [selectCoords.index([slice(), 0]), selectCoords.index([slice(), 1])];
    const batchO = raysO.index(pixels);
    const batchD = raysD.index(pixels);
    const targetS = target.index(pixels);

    const [rgb, rgb0] = renderRays(batchO, batchD, queryFn, model, modelFine);
    optimizer.zeroGrad();
    const imgLoss = img2mse(rgb, targetS);
    const loss = imgLoss.add(img2mse(rgb0, targetS));
    const psnr = mse2psnr(imgLoss);
    loss.backward();
    optimizer.step();

    const newLrate = lrate * 0.1 ** (globalStep / lrateDecay);
    for (const paramGroup of optimizer.paramGroups) paramGroup.lr = newLrate;
    globalStep += 1;
    losses.push(loss.item());
    losses.push(psnr.item() / 10);
  }

  noGrad(() => {
    const [rgb] = renderRays(raysO.reshape(-1, 3), raysD.reshape(-1, 3), queryFn, model, modelFine, {
      perturb: 0,
      rawNoiseStd: 0,
    });
    losses.push(img2mse(rgb.view(H, W, 3), target).item());
  });
  return losses;
}
