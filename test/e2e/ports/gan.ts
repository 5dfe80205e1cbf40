/** gan.py in nodegrad, line by line. */
import { cos, cuda, linspace, manualSeed, nn, noGrad, optim, rand, randn, relu, sin, type Tensor } from 'nodegrad';

const { spectralNorm } = nn.utils;

class Generator extends nn.Module {
  main: nn.Sequential;

  constructor(nz = 8, ngf = 8, nc = 1) {
    super();
    this.main = new nn.Sequential(
      new nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, { bias: false }),
      new nn.BatchNorm2d(ngf * 2),
      new nn.ReLU(true),
      new nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, { bias: false }),
      new nn.BatchNorm2d(ngf),
      new nn.ReLU(true),
      new nn.ConvTranspose2d(ngf, nc, 4, 2, 1, { bias: false }),
      new nn.Tanh(),
    );
  }

  override forward(input: Tensor): Tensor {
    return this.main(input);
  }
}

class Discriminator extends nn.Module {
  conv1: nn.Conv2d;
  conv2: nn.Conv2d;
  fc: nn.Linear;
  act: nn.LeakyReLU;

  constructor(nc = 1, ndf = 8) {
    super();
    this.conv1 = spectralNorm(new nn.Conv2d(nc, ndf, 4, 2, 1));
    this.conv2 = spectralNorm(new nn.Conv2d(ndf, ndf * 2, 4, 2, 1));
    this.fc = spectralNorm(new nn.Linear(ndf * 2 * 4 * 4, 1));
    this.act = new nn.LeakyReLU(0.2, { inplace: true });
  }

  override forward(x: Tensor): Tensor {
    let h = this.act(this.conv1(x));
    h = this.act(this.conv2(h));
    return this.fc(h.view(h.size(0), -1)).squeeze(1);
  }
}

function weightsInit(m: nn.Module): void {
  if (m instanceof nn.ConvTranspose2d) {
    nn.init.normal_(m.weight.data, 0.0, 0.02);
  } else if (m instanceof nn.BatchNorm2d && m.weight !== null && m.bias !== null) {
    nn.init.normal_(m.weight.data, 1.0, 0.02);
    nn.init.constant_(m.bias.data, 0);
  }
}

function realImages(count: number): Tensor {
  const grid = linspace(-1, 1, 16);
  const phase = rand(count, 1, 1, 1).mul(3);
  const waves = sin(grid.view(1, 1, 1, 16).mul(3).add(phase)).mul(cos(grid.view(1, 1, 16, 1).mul(2).sub(phase)));
  return waves.add(randn(count, 1, 16, 16).mul(0.05));
}

export function main(): number[] {
  manualSeed(2);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const nz = 8;
  const netG = new Generator(nz).to(device);
  netG.apply(weightsInit);
  const netD = new Discriminator().to(device);
  const optimizerD = new optim.Adam(netD.parameters(), { lr: 2e-3, betas: [0.5, 0.999] });
  const optimizerG = new optim.Adam(netG.parameters(), { lr: 2e-3, betas: [0.5, 0.999] });
  const fixedNoise = randn(8, nz, 1, 1, { device });

  const losses: number[] = [];
  for (let i = 0; i < 30; i++) {
    const data = realImages(8).to(device);
    const batchSize = data.size(0);

    // The discriminator: real images above 1, generated ones below -1.
    netD.zeroGrad();
    const errDReal = relu(netD(data).neg().add(1.0)).mean();
    errDReal.backward();
    const noise = randn(batchSize, nz, 1, 1, { device });
    const fake = netG(noise);
    const errDFake = relu(netD(fake.detach()).add(1.0)).mean();
    errDFake.backward();
    const errD = errDReal.add(errDFake);
    optimizerD.step();

    // The generator.
    netG.zeroGrad();
    const errG = netD(fake).mean().neg();
    errG.backward();
    optimizerG.step();

    losses.push(errD.item());
    losses.push(errG.item());
  }

  netG.eval();
  netD.eval();
  noGrad(() => {
    const fake = netG(fixedNoise).detach().cpu();
    losses.push(netD(fake.to(device)).mean().item());
    losses.push(fake.abs().mean().item());
  });
  return losses;
}
