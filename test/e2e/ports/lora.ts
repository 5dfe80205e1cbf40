/** lora.py in nodegrad, line by line. */
import {
  arange,
  cuda,
  type DeviceName,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  randint,
  slice,
  stack,
  type Tensor,
  tensor,
  tril,
} from 'nodegrad';

const F = nn.functional;

class CausalSelfAttention extends nn.Module {
  nHead: number;
  c_attn: nn.Linear | LoRALinear;
  c_proj: nn.Linear;
  attnDropout: nn.Dropout;
  residDropout: nn.Dropout;
  declare bias: Tensor;

  constructor(nEmbd: number, nHead: number, blockSize: number, dropout: number) {
    super();
    this.nHead = nHead;
    this.c_attn = new nn.Linear(nEmbd, 3 * nEmbd);
    this.c_proj = new nn.Linear(nEmbd, nEmbd);
    this.attnDropout = new nn.Dropout(dropout);
    this.residDropout = new nn.Dropout(dropout);
    this.registerBuffer('bias', tril(ones(blockSize, blockSize)).view(1, 1, blockSize, blockSize));
  }

  override forward(x: Tensor): Tensor {
    const [B, T, C] = x.size();
    let [q, k, v] = this.c_attn(x).split(C, { dim: 2 });
    k = k.view(B, T, this.nHead, C / this.nHead).transpose(1, 2);
    q = q.view(B, T, this.nHead, C / this.nHead).transpose(1, 2);
    v = v.view(B, T, this.nHead, C / this.nHead).transpose(1, 2);
    let att = q.matmul(k.transpose(-2, -1)).mul(1.0 / Math.sqrt(k.size(-1)));
    att = att.maskedFill(this.bias.index([slice(), slice(), slice(null, T), slice(null, T)]).eq(0), -Infinity);
    att = F.softmax(att, { dim: -1 });
    att = this.attnDropout(att);
    let y = att.matmul(v);
    y = y.transpose(1, 2).contiguous().view(B, T, C);
    return this.residDropout(this.c_proj(y));
  }
}

const mlp = (nEmbd: number, dropout: number) =>
  new nn.ModuleDict({
    c_fc: new nn.Linear(nEmbd, 4 * nEmbd),
    c_proj: new nn.Linear(4 * nEmbd, nEmbd),
    act: new nn.GELU(),
    dropout: new nn.Dropout(dropout),
  });

class Block extends nn.Module {
  ln_1: nn.LayerNorm;
  attn: CausalSelfAttention;
  ln_2: nn.LayerNorm;
  mlp: ReturnType<typeof mlp>;
  mlpf: (x: Tensor) => Tensor;

  constructor(nEmbd: number, nHead: number, blockSize: number, dropout: number) {
    super();
    this.ln_1 = new nn.LayerNorm(nEmbd);
    this.attn = new CausalSelfAttention(nEmbd, nHead, blockSize, dropout);
    this.ln_2 = new nn.LayerNorm(nEmbd);
    const m = mlp(nEmbd, dropout);
    this.mlp = m;
    this.mlpf = (x) => m.dropout(m.c_proj(m.act(m.c_fc(x))));
  }

  override forward(x: Tensor): Tensor {
    x = x.add(this.attn(this.ln_1(x)));
    x = x.add(this.mlpf(this.ln_2(x)));
    return x;
  }
}

const transformer = (
  vocabSize: number,
  blockSize: number,
  nLayer: number,
  nHead: number,
  nEmbd: number,
  dropout: number,
) =>
  new nn.ModuleDict({
    wte: new nn.Embedding(vocabSize, nEmbd),
    wpe: new nn.Embedding(blockSize, nEmbd),
    drop: new nn.Dropout(dropout),
    h: new nn.ModuleList(Array.from({ length: nLayer }, () => new Block(nEmbd, nHead, blockSize, dropout))),
    ln_f: new nn.LayerNorm(nEmbd),
  });

class GPT extends nn.Module {
  blockSize: number;
  transformer: ReturnType<typeof transformer>;
  lm_head: nn.Linear;

  constructor(vocabSize = 13, blockSize = 12, nLayer = 2, nHead = 2, nEmbd = 16, dropout = 0.1) {
    super();
    this.blockSize = blockSize;
    this.transformer = transformer(vocabSize, blockSize, nLayer, nHead, nEmbd, dropout);
    this.lm_head = new nn.Linear(nEmbd, vocabSize, { bias: false });
    this.transformer.wte.weight = this.lm_head.weight;
    this.apply((module) => this.initWeights(module));
    for (const [pn, p] of this.namedParameters()) {
      if (pn.endsWith('c_proj.weight')) nn.init.normal_(p, { mean: 0.0, std: 0.02 / Math.sqrt(2 * nLayer) });
    }
  }

  private initWeights(module: nn.Module): void {
    if (module instanceof nn.Linear) {
      nn.init.normal_(module.weight, { mean: 0.0, std: 0.02 });
      if (module.bias !== null) nn.init.zeros_(module.bias);
    } else if (module instanceof nn.Embedding) {
      nn.init.normal_(module.weight, { mean: 0.0, std: 0.02 });
    }
  }

  override forward(idx: Tensor, targets: Tensor | null = null): [logits: Tensor, loss: Tensor | null] {
    const { device } = idx;
    const [, t] = idx.size();
    if (t > this.blockSize) throw new Error(`a sequence of ${t} is longer than the block of ${this.blockSize}`);
    const pos = arange(0, t, { dtype: 'int64', device });
    const tokEmb = this.transformer.wte(idx);
    const posEmb = this.transformer.wpe(pos);
    let x = this.transformer.drop(tokEmb.add(posEmb));
    for (const block of this.transformer.h) x = block(x);
    x = this.transformer.ln_f(x);
    const logits = this.lm_head(x);
    let loss: Tensor | null = null;
    if (targets !== null)
      loss = F.crossEntropy(logits.view(-1, logits.size(-1)), targets.view(-1), { ignoreIndex: -1 });
    return [logits, loss];
  }

  configureOptimizers(weightDecay: number, learningRate: number): optim.AdamW {
    const params = this.namedParameters()
      .map(([, p]) => p)
      .filter((p) => p.requiresGrad);
    const decayParams = params.filter((p) => p.dim() >= 2);
    const nodecayParams = params.filter((p) => p.dim() < 2);
    const optimGroups = [
      { params: decayParams, weightDecay },
      { params: nodecayParams, weightDecay: 0.0 },
    ];
    return new optim.AdamW(optimGroups, { lr: learningRate, betas: [0.9, 0.95] });
  }
}

class LoRALinear extends nn.Module {
  base: nn.Linear;
  loraDropout: nn.Dropout;
  lora_A: nn.Parameter;
  lora_B: nn.Parameter;
  scaling: number;
  merged: boolean;

  constructor(base: nn.Linear, r = 4, loraAlpha = 8, loraDropout = 0.05) {
    super();
    this.base = base;
    this.loraDropout = new nn.Dropout({ p: loraDropout });
    this.lora_A = new nn.Parameter(base.weight.newZeros([r, base.inFeatures]));
    this.lora_B = new nn.Parameter(base.weight.newZeros([base.outFeatures, r]));
    this.scaling = loraAlpha / r;
    this.merged = false;
    nn.init.kaimingUniform_(this.lora_A, { a: Math.sqrt(5) });
  }

  merge(): void {
    this.base.weight.data.add_(this.lora_B.matmul(this.lora_A).mul(this.scaling));
    this.merged = true;
  }

  override forward(x: Tensor): Tensor {
    let result = this.base(x);
    if (!this.merged)
      result = result.add(
        this.loraDropout(x).matmul(this.lora_A.transpose(0, 1)).matmul(this.lora_B.transpose(0, 1)).mul(this.scaling),
      );
    return result;
  }
}

function addLora(module: nn.Module): void {
  for (const [name, child] of module.namedChildren()) {
    if (child instanceof nn.Linear && (name === 'c_attn' || name === 'c_fc')) {
      if (module instanceof nn.ModuleDict) module.set(name, new LoRALinear(child));
      else (module as CausalSelfAttention).c_attn = new LoRALinear(child);
    } else {
      addLora(child);
    }
  }
}

function getBatch(data: Tensor, blockSize: number, batchSize: number, device: DeviceName): [Tensor, Tensor] {
  const ix = randint(data.size(0) - blockSize, [batchSize]).tolist() as number[];
  const x = stack(ix.map((i) => data.index([slice(i, i + blockSize)])));
  const y = stack(ix.map((i) => data.index([slice(i + 1, i + 1 + blockSize)])));
  return [x.to(device), y.to(device)];
}

export function main(): number[] {
  manualSeed(1337);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const text = tensor(
    Array.from({ length: 200 }, (_, i) => (i * i + 3 * i) % 13),
    { dtype: 'int64' },
  );
  const other = tensor(
    Array.from({ length: 200 }, (_, i) => (5 * i + Math.floor(i / 4)) % 13),
    { dtype: 'int64' },
  );

  const losses: number[] = [];
  const model = new GPT();
  model.to(device);
  const pretraining = model.configureOptimizers(0.1, 3e-3);
  for (let step = 0; step < 15; step++) {
    const [xb, yb] = getBatch(text, 12, 8, device);
    const [, loss] = model(xb, yb);
    pretraining.zeroGrad({ setToNone: true });
    loss!.backward();
    nn.utils.clipGradNorm_(model.parameters(), 1.0);
    pretraining.step();
    losses.push(loss!.item());
  }

  for (const param of model.parameters()) param.requiresGrad = false;
  const baseState = nn.deepcopy(model.stateDict());
  addLora(model);
  const count = (parameters: nn.Parameter[]): number => parameters.reduce((total, p) => total + p.numel(), 0);
  const trainable = count(model.parameters().filter((p) => p.requiresGrad));
  losses.push(trainable / count(model.parameters()));
  const optimizer = new optim.AdamW(
    model.parameters().filter((p) => p.requiresGrad),
    { lr: 1e-2 },
  );
  const scheduler = new optim.lrScheduler.LambdaLR(optimizer, (s) => Math.min(1.0, (s + 1) / 5));
  for (let step = 0; step < 15; step++) {
    const [xb, yb] = getBatch(other, 12, 8, device);
    const [, loss] = model(xb, yb);
    loss!.backward();
    optimizer.step();
    scheduler.step();
    optimizer.zeroGrad({ setToNone: true });
    losses.push(loss!.item());
  }

  // Only the adapters are stored. A fresh model takes the frozen weights and the adapters and gives the same loss.
  const loraState = Object.fromEntries(Object.entries(model.stateDict()).filter(([k]) => k.includes('lora_')));
  losses.push(Object.keys(loraState).length);
  const fresh = new GPT();
  fresh.loadStateDict(baseState);
  addLora(fresh);
  const { missingKeys, unexpectedKeys } = fresh.loadStateDict(loraState, { strict: false });
  if (unexpectedKeys.length > 0) throw new Error(`unexpected: ${unexpectedKeys}`);
  losses.push(missingKeys.length);
  const [xb, yb] = getBatch(other, 12, 8, device);
  for (const m of [model, fresh]) {
    m.eval();
    noGrad(() => losses.push(m(xb, yb)[1]!.item()));
  }
  for (const m of fresh.modules()) if (m instanceof LoRALinear) m.merge();
  noGrad(() => losses.push(fresh(xb, yb)[1]!.item()));
  return losses;
}
