/** ppo.py in nodegrad, line by line. */
import {
  clamp,
  cuda,
  manualSeed,
  max,
  multinomial,
  nn,
  noGrad,
  optim,
  rand,
  randperm,
  slice,
  stack,
  type Tensor,
  where,
  zeros,
  zerosLike,
} from 'nodegrad';

const F = nn.functional;

/** Several carts at once. The state is position and speed; the actions push left, do nothing, push right. */
class CartEnv {
  state: Tensor;
  steps: Tensor;

  constructor(public numEnvs: number) {
    this.state = zeros(numEnvs, 2);
    this.steps = zeros(numEnvs, { dtype: 'int64' });
  }

  reset(): Tensor {
    this.state = rand(this.numEnvs, 2).sub(0.5);
    this.steps.zero_();
    return this.state.clone();
  }

  step(action: Tensor): [Tensor, Tensor, Tensor] {
    const push = action.sub(1).float().mul(0.125);
    const speed = this.state
      .index([slice(), 1])
      .mul(0.875)
      .add(push)
      .add(this.state.index([slice(), 0]).mul(0.25));
    const position = this.state.index([slice(), 0]).add(speed.mul(0.25));
    this.state = stack([position, speed], { dim: 1 });
    this.steps.add_(1);
    const reward = position.abs().neg().add(1.0);
    const done = position.abs().gt(1.5).logicalOr(this.steps.ge(12));
    if (done.any().item<boolean>()) {
      const fresh = rand(this.numEnvs, 2).sub(0.5);
      this.state = where(done.unsqueeze(1), fresh, this.state);
      this.steps.indexPut_([done], 0);
    }
    return [this.state.clone(), reward, done];
  }
}

function layerInit(layer: nn.Linear, std = Math.sqrt(2), biasConst = 0.0): nn.Linear {
  nn.init.orthogonal_(layer.weight, std);
  nn.init.constant_(layer.bias!, biasConst);
  return layer;
}

class Agent extends nn.Module {
  critic: nn.Sequential;
  actor: nn.Sequential;

  constructor(observations = 2, actions = 3) {
    super();
    this.critic = new nn.Sequential(
      layerInit(new nn.Linear(observations, 16)),
      new nn.Tanh(),
      layerInit(new nn.Linear(16, 16)),
      new nn.Tanh(),
      layerInit(new nn.Linear(16, 1), 1.0),
    );
    this.actor = new nn.Sequential(
      layerInit(new nn.Linear(observations, 16)),
      new nn.Tanh(),
      layerInit(new nn.Linear(16, 16)),
      new nn.Tanh(),
      layerInit(new nn.Linear(16, actions), 0.01),
    );
  }

  getValue(x: Tensor): Tensor {
    return this.critic(x);
  }

  getActionAndValue(x: Tensor, action?: Tensor): [action: Tensor, logprob: Tensor, entropy: Tensor, value: Tensor] {
    const logits = F.logSoftmax(this.actor(x), { dim: -1 });
    const probs = logits.exp();
    if (action === undefined) action = multinomial(probs, 1).squeeze(-1);
    const logprob = logits.gather(-1, action.unsqueeze(-1)).squeeze(-1);
    const entropy = logits.mul(probs).sum(-1).neg();
    return [action, logprob, entropy, this.critic(x)];
  }
}

export function main(): number[] {
  const [numEnvs, numSteps, numIterations, numMinibatches, updateEpochs] = [4, 20, 3, 5, 2];
  const [learningRate, gamma, gaeLambda, clipCoef, entCoef, vfCoef, maxGradNorm] = [
    2.5e-3, 0.99, 0.95, 0.2, 0.01, 0.5, 0.5,
  ];
  const batchSize = numEnvs * numSteps;
  const minibatchSize = Math.floor(batchSize / numMinibatches);

  manualSeed(3);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const envs = new CartEnv(numEnvs);
  const agent = new Agent().to(device);
  const optimizer = new optim.Adam(agent.parameters(), { lr: learningRate, eps: 1e-5 });

  const obs = zeros([numSteps, numEnvs, 2]).to(device);
  const actions = zeros([numSteps, numEnvs], { dtype: 'int64' }).to(device);
  const logprobs = zeros([numSteps, numEnvs]).to(device);
  const rewards = zeros([numSteps, numEnvs]).to(device);
  const dones = zeros([numSteps, numEnvs]).to(device);
  const values = zeros([numSteps, numEnvs]).to(device);

  const losses: number[] = [];
  let nextObs = envs.reset().to(device);
  let nextDone = zeros(numEnvs).to(device);
  for (let iteration = 1; iteration <= numIterations; iteration++) {
    // Annealing the rate.
    const frac = 1.0 - (iteration - 1.0) / numIterations;
    optimizer.paramGroups[0].lr = frac * learningRate;

    for (let step = 0; step < numSteps; step++) {
      obs.indexPut_([step], nextObs);
      dones.indexPut_([step], nextDone);
      const [action, logprob] = noGrad(() => {
        const [action, logprob, , value] = agent.getActionAndValue(nextObs);
        values.indexPut_([step], value.flatten());
        return [action, logprob];
      });
      actions.indexPut_([step], action);
      logprobs.indexPut_([step], logprob);
      const [observation, reward, done] = envs.step(action.cpu());
      rewards.indexPut_([step], reward.to(device).view(-1));
      [nextObs, nextDone] = [observation.to(device), done.float().to(device)];
    }

    // Generalised advantage estimation.
    const [advantages, returns] = noGrad(() => {
      const nextValue = agent.getValue(nextObs).reshape(1, -1);
      const advantages = zerosLike(rewards).to(device);
      let lastgaelam: Tensor | number = 0;
      for (let t = numSteps - 1; t >= 0; t--) {
        let nextnonterminal: Tensor;
        let nextvalues: Tensor;
        if (t === numSteps - 1) {
          nextnonterminal = nextDone.neg().add(1.0);
          nextvalues = nextValue;
        } else {
          nextnonterminal = dones
            .index(t + 1)
            .neg()
            .add(1.0);
          nextvalues = values.index(t + 1);
        }
        const delta = rewards.index(t).add(nextvalues.mul(gamma).mul(nextnonterminal)).sub(values.index(t));
        lastgaelam = delta.add(nextnonterminal.mul(gamma * gaeLambda).mul(lastgaelam));
        advantages.indexPut_([t], lastgaelam);
      }
      return [advantages, advantages.add(values)];
    });

    const bObs = obs.reshape([-1, 2]);
    const bLogprobs = logprobs.reshape(-1);
    const bActions = actions.reshape(-1);
    const bAdvantages = advantages.reshape(-1);
    const bReturns = returns.reshape(-1);
    const bValues = values.reshape(-1);

    for (let epoch = 0; epoch < updateEpochs; epoch++) {
      const bInds = randperm(batchSize);
      for (let start = 0; start < batchSize; start += minibatchSize) {
        const mbInds = bInds.index([slice(start, start + minibatchSize)]);
        const [, newlogprob, entropy, newvalues] = agent.getActionAndValue(
          bObs.index([mbInds]),
          bActions.index([mbInds]),
        );
        const logratio = newlogprob.sub(bLogprobs.index([mbInds]));
        const ratio = logratio.exp();

        let mbAdvantages = bAdvantages.index([mbInds]);
        mbAdvantages = mbAdvantages.sub(mbAdvantages.mean()).div(mbAdvantages.std().add(1e-8));

        const pgLoss1 = mbAdvantages.neg().mul(ratio);
        const pgLoss2 = mbAdvantages.neg().mul(clamp(ratio, 1 - clipCoef, 1 + clipCoef));
        const pgLoss = max(pgLoss1, pgLoss2).mean();

        const newvalue = newvalues.view(-1);
        const vLossUnclipped = newvalue.sub(bReturns.index([mbInds])).pow(2);
        const vClipped = bValues.index([mbInds]).add(clamp(newvalue.sub(bValues.index([mbInds])), -clipCoef, clipCoef));
        const vLossClipped = vClipped.sub(bReturns.index([mbInds])).pow(2);
        const vLoss = max(vLossUnclipped, vLossClipped).mean().mul(0.5);

        const entropyLoss = entropy.mean();
        const loss = pgLoss.sub(entropyLoss.mul(entCoef)).add(vLoss.mul(vfCoef));

        optimizer.zeroGrad();
        loss.backward();
        nn.utils.clipGradNorm_(agent.parameters(), maxGradNorm);
        optimizer.step();
        losses.push(loss.item());
      }
    }
    losses.push(rewards.mean().item());
  }
  return losses;
}
