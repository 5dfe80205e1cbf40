/** vae.py in nodegrad, line by line. */
import {
  cuda,
  exp,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
  randint,
  randn,
  randnLike,
  sigmoid,
  slice,
  sum,
  type Tensor,
  device as torchDevice,
  utils,
  zeros,
} from 'nodegrad';

const F = nn.functional;
const { DataLoader, TensorDataset } = utils.data;

class VAE extends nn.Module {
  pixels: number;
  fc1: nn.Linear;
  fc21: nn.Linear;
  fc22: nn.Linear;
  fc3: nn.Linear;
  fc4: nn.Linear;

  constructor(pixels = 64, hidden = 32, latent = 4) {
    super();
    this.pixels = pixels;
    this.fc1 = new nn.Linear(pixels, hidden);
    this.fc21 = new nn.Linear(hidden, latent);
    this.fc22 = new nn.Linear(hidden, latent);
    this.fc3 = new nn.Linear(latent, hidden);
    this.fc4 = new nn.Linear(hidden, pixels);
  }

  encode(x: Tensor): [Tensor, Tensor] {
    const h1 = F.relu(this.fc1(x));
    return [this.fc21(h1), this.fc22(h1)];
  }

  reparameterize(mu: Tensor, logvar: Tensor): Tensor {
    const std = exp(logvar.mul(0.5));
    const eps = randnLike(std);
    return mu.add(eps.mul(std));
  }

  decode(z: Tensor): Tensor {
    const h3 = F.relu(this.fc3(z));
    return sigmoid(this.fc4(h3));
  }

  override forward(x: Tensor): [Tensor, Tensor, Tensor] {
    const [mu, logvar] = this.encode(x.view(-1, this.pixels));
    const z = this.reparameterize(mu, logvar);
    return [this.decode(z), mu, logvar];
  }
}

function lossFunction(reconX: Tensor, x: Tensor, mu: Tensor, logvar: Tensor): Tensor {
  const BCE = F.binaryCrossEntropy(reconX, x.view(-1, 64), { reduction: 'sum' });
  const KLD = sum(logvar.add(1).sub(mu.pow(2)).sub(logvar.exp())).mul(-0.5);
  return BCE.add(KLD);
}

function makeImages(count: number): Tensor {
  const images = zeros(count, 1, 8, 8);
  for (let i = 0; i < count; i++) {
    const [row, column] = randint(0, 8, [2]).tolist() as number[];
    images.indexPut_([i, 0, row], rand(8));
    images.index([i, 0, slice(), column]).add_(0.5);
  }
  return images.clamp_(0, 1);
}

export async function main(): Promise<number[]> {
  manualSeed(1);
  const device = torchDevice(cuda.isAvailable() ? 'cuda' : 'cpu');
  const trainSet = new TensorDataset(makeImages(80));
  const trainLoader = new DataLoader(trainSet, { batchSize: 16, shuffle: true });
  const testImages = makeImages(16).to(device);

  const model = new VAE().to(device);
  const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });

  const losses: number[] = [];
  for (let epoch = 0; epoch < 6; epoch++) {
    model.train();
    let trainLoss = 0;
    for await (let [data] of trainLoader) {
      data = data.to(device);
      optimizer.zeroGrad();
      const [reconBatch, mu, logvar] = model(data);
      const loss = lossFunction(reconBatch, data, mu, logvar);
      loss.backward();
      trainLoss += loss.item();
      optimizer.step();
      losses.push(loss.item() / data.size(0));
    }
    losses.push(trainLoss / trainSet.length);
  }

  model.eval();
  noGrad(() => {
    const [reconBatch, mu, logvar] = model(testImages);
    losses.push(lossFunction(reconBatch, testImages, mu, logvar).item() / testImages.size(0));
    const sample = model.decode(randn(4, 4).to(device)).cpu();
    losses.push(sample.view(4, 1, 8, 8).mean().item());
  });
  return losses;
}
