"""A convolutional GAN whose discriminator has spectral norm (Miyato and others, 2018), with the hinge loss."""
import torch
from torch import nn, optim
from torch.nn.utils import spectral_norm


class Generator(nn.Module):
    def __init__(self, nz=8, ngf=8, nc=1):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, input):
        return self.main(input)


class Discriminator(nn.Module):
    def __init__(self, nc=1, ndf=8):
        super().__init__()
        self.conv1 = spectral_norm(nn.Conv2d(nc, ndf, 4, 2, 1))
        self.conv2 = spectral_norm(nn.Conv2d(ndf, ndf * 2, 4, 2, 1))
        self.fc = spectral_norm(nn.Linear(ndf * 2 * 4 * 4, 1))
        self.act = nn.LeakyReLU(0.2, inplace=True)

    def forward(self, x):
        h = self.act(self.conv1(x))
        h = self.act(self.conv2(h))
        return self.fc(h.view(h.size(0), -1)).squeeze(1)


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find('Conv') != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find('BatchNorm') != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


def real_images(count):
    grid = torch.linspace(-1, 1, 16)
    phase = torch.rand(count, 1, 1, 1) * 3
    waves = torch.sin(3 * grid.view(1, 1, 1, 16) + phase) * torch.cos(2 * grid.view(1, 1, 16, 1) - phase)
    return waves + 0.05 * torch.randn(count, 1, 16, 16)


def main():
    torch.manual_seed(2)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    nz = 8
    netG = Generator(nz).to(device)
    netG.apply(weights_init)
    netD = Discriminator().to(device)
    optimizerD = optim.Adam(netD.parameters(), lr=2e-3, betas=(0.5, 0.999))
    optimizerG = optim.Adam(netG.parameters(), lr=2e-3, betas=(0.5, 0.999))
    fixed_noise = torch.randn(8, nz, 1, 1, device=device)

    losses = []
    for i in range(30):
        data = real_images(8).to(device)
        batch_size = data.size(0)

        # The discriminator: real images above 1, generated ones below -1.
        netD.zero_grad()
        errD_real = torch.relu(1.0 - netD(data)).mean()
        errD_real.backward()
        noise = torch.randn(batch_size, nz, 1, 1, device=device)
        fake = netG(noise)
        errD_fake = torch.relu(1.0 + netD(fake.detach())).mean()
        errD_fake.backward()
        errD = errD_real + errD_fake
        optimizerD.step()

        # The generator.
        netG.zero_grad()
        errG = -netD(fake).mean()
        errG.backward()
        optimizerG.step()

        losses.append(errD.item())
        losses.append(errG.item())

    netG.eval()
    netD.eval()
    with torch.no_grad():
        fake = netG(fixed_noise).detach().cpu()
        losses.append(netD(fake.to(device)).mean().item())
        losses.append(fake.abs().mean().item())
    return losses


if __name__ == '__main__':
    print(main())
