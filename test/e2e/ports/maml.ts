/** maml.py in nodegrad, line by line. */
import {
  autograd,
  cuda,
  empty,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  sin,
  slice,
  type Tensor,
  zeros,
} from 'nodegrad';

const F = nn.functional;

class Learner extends nn.Module {
  vars: nn.ParameterList;

  constructor(hidden = 24) {
    super();
    this.vars = new nn.ParameterList();
    for (const [outFeatures, inFeatures] of [
      [hidden, 1],
      [hidden, hidden],
      [1, hidden],
    ]) {
      const w = new nn.Parameter(ones(outFeatures, inFeatures));
      nn.init.kaimingNormal_(w);
      this.vars.append(w);
      this.vars.append(new nn.Parameter(zeros(outFeatures)));
    }
  }

  override forward(x: Tensor, vars: ArrayLike<Tensor> = this.vars): Tensor {
    x = F.relu(F.linear(x, vars[0], vars[1]));
    x = F.relu(F.linear(x, vars[2], vars[3]));
    return F.linear(x, vars[4], vars[5]);
  }
}

function sampleTask(k: number): Tensor[] {
  const amplitude = empty(1).uniform_(0.5, 2.0);
  const phase = empty(1).uniform_(0, Math.PI);
  const x = rand(2 * k, 1)
    .mul(4)
    .sub(2);
  const y = amplitude.mul(sin(x.add(phase)));
  return [x.index([slice(null, k)]), y.index([slice(null, k)]), x.index([slice(k, null)]), y.index([slice(k, null)])];
}

export function main(): number[] {
  const [updateLr, metaLr, updateStep, taskNum] = [0.005, 2e-3, 2, 4];
  manualSeed(222);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const net = new Learner().to(device);
  const metaOptim = new optim.Adam(net.parameters(), { lr: metaLr });
  const scheduler = new optim.lrScheduler.CosineAnnealingLR(metaOptim, { TMax: 30, etaMin: 1e-4 });

  const losses: number[] = [];
  for (let step = 0; step < 30; step++) {
    const lossesQ: Tensor[] = Array.from({ length: updateStep + 1 }, () => zeros([]));
    for (let i = 0; i < taskNum; i++) {
      const [xSpt, ySpt, xQry, yQry] = sampleTask(10).map((t) => t.to(device));

      let loss = F.mseLoss(net(xSpt), ySpt);
      let grad = autograd.grad(loss, net.parameters(), { createGraph: true });
      let fastWeights = net.parameters().map((p, j) => p.sub(grad[j].mul(updateLr)));

      noGrad(() => {
        lossesQ[0] = lossesQ[0].add(F.mseLoss(net(xQry), yQry));
      });
      lossesQ[1] = lossesQ[1].add(F.mseLoss(net(xQry, fastWeights), yQry));

      for (let k = 1; k < updateStep; k++) {
        loss = F.mseLoss(net(xSpt, fastWeights), ySpt);
        grad = autograd.grad(loss, fastWeights, { createGraph: true });
        fastWeights = fastWeights.map((p, j) => p.sub(grad[j].mul(updateLr)));
        lossesQ[k + 1] = lossesQ[k + 1].add(F.mseLoss(net(xQry, fastWeights), yQry));
      }
    }

    const lossQ = lossesQ[updateStep].div(taskNum);
    metaOptim.zeroGrad();
    lossQ.backward();
    metaOptim.step();
    scheduler.step();
    losses.push(lossesQ[0].div(taskNum).item());
    losses.push(lossQ.item());
  }
  return losses;
}
