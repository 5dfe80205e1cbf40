/** lbfgs.py in nodegrad, line by line. */
import {
  arange,
  cat,
  cuda,
  manualSeed,
  nn,
  noGrad,
  optim,
  randint,
  randn,
  sin,
  slice,
  type Tensor,
  zeros,
} from 'nodegrad';

class Sequence extends nn.Module {
  hidden: number;
  lstm1: nn.LSTMCell;
  lstm2: nn.LSTMCell;
  linear: nn.Linear;

  constructor(hidden = 10) {
    super();
    this.hidden = hidden;
    this.lstm1 = new nn.LSTMCell(1, hidden);
    this.lstm2 = new nn.LSTMCell(hidden, hidden);
    this.linear = new nn.Linear(hidden, 1);
  }

  override forward(input: Tensor, { future = 0 } = {}): Tensor {
    const outputs: Tensor[] = [];
    const { dtype, device } = input;
    let hT = zeros(input.size(0), this.hidden, { dtype, device });
    let cT = zeros(input.size(0), this.hidden, { dtype, device });
    let hT2 = zeros(input.size(0), this.hidden, { dtype, device });
    let cT2 = zeros(input.size(0), this.hidden, { dtype, device });
    let output = input;

    for (const inputT of input.split(1, { dim: 1 })) {
      [hT, cT] = this.lstm1(inputT, [hT, cT]);
      [hT2, cT2] = this.lstm2(hT, [hT2, cT2]);
      output = this.linear(hT2);
      outputs.push(output);
    }
    for (let i = 0; i < future; i++) {
      [hT, cT] = this.lstm1(output, [hT, cT]);
      [hT2, cT2] = this.lstm2(hT, [hT2, cT2]);
      output = this.linear(hT2);
      outputs.push(output);
    }
    return cat(outputs, { dim: 1 });
  }
}

export function main(): number[] {
  manualSeed(0);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const [L, N] = [20, 6];
  const x = arange(L)
    .float()
    .add(randint(-4 * L, 4 * L, [N, 1]).float());
  const data = sin(x.div(4));
  const input = data.index([slice(3, null), slice(null, -1)]).to(device);
  const target = data.index([slice(3, null), slice(1, null)]).to(device);
  const testInput = data.index([slice(null, 3), slice(null, -1)]).to(device);
  const testTarget = data.index([slice(null, 3), slice(1, null)]).to(device);

  const seq = new Sequence().to(device);
  const criterion = new nn.MSELoss();
  const optimizer = new optim.LBFGS(seq.parameters(), { lr: 0.2, maxIter: 2, historySize: 6 });

  const losses: number[] = [];
  for (let i = 0; i < 30; i++) {
    const closure = (): Tensor => {
      optimizer.zeroGrad();
      const out = seq(input);
      const loss = criterion(out, target);
      loss.backward();
      return loss;
    };
    losses.push(optimizer.step(closure).item());
    if ((i + 1) % 10 === 0) {
      noGrad(() => {
        const future = 5;
        const pred = seq(testInput, { future });
        losses.push(criterion(pred.index([slice(), slice(null, -future)]), testTarget).item());
      });
    }
  }

  // A line search on a convex loss.
  const head = new nn.Linear(10, 1);
  const features = randn(32, 10);
  const labels = features.pow(2).sum(1, { keepdim: true });
  const search = new optim.LBFGS(head.parameters(), { lr: 1, maxIter: 3, lineSearchFn: 'strong_wolfe' });
  for (let i = 0; i < 3; i++) {
    const closure = (): Tensor => {
      search.zeroGrad();
      const loss = nn.functional.smoothL1Loss(head(features), labels);
      if (loss.requiresGrad) loss.backward();
      return loss;
    };
    losses.push(search.step(closure).item());
  }
  return losses;
}
