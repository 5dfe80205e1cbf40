"""A variational autoencoder (Kingma and Welling, 2014) on pictures of random strokes."""
import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    def __init__(self, pixels=64, hidden=32, latent=4):
        super().__init__()
        self.pixels = pixels
        self.fc1 = nn.Linear(pixels, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, pixels)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, self.pixels))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 64), reduction='sum')
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


def make_images(count):
    images = torch.zeros(count, 1, 8, 8)
    for i in range(count):
        row, column = torch.randint(0, 8, (2,)).tolist()
        images[i, 0, row] = torch.rand(8)
        images[i, 0, :, column] += 0.5
    return images.clamp_(0, 1)


def main():
    torch.manual_seed(1)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    train_set = TensorDataset(make_images(80))
    train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
    test_images = make_images(16).to(device)

    model = VAE().to(device)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    losses = []
    for epoch in range(6):
        model.train()
        train_loss = 0
        for batch_idx, (data,) in enumerate(train_loader):
            data = data.to(device)
            optimizer.zero_grad()
            recon_batch, mu, logvar = model(data)
            loss = loss_function(recon_batch, data, mu, logvar)
            loss.backward()
            train_loss += loss.item()
            optimizer.step()
            losses.append(loss.item() / len(data))
        losses.append(train_loss / len(train_set))

    model.eval()
    with torch.no_grad():
        recon_batch, mu, logvar = model(test_images)
        losses.append(loss_function(recon_batch, test_images, mu, logvar).item() / len(test_images))
        sample = model.decode(torch.randn(4, 4).to(device)).cpu()
        losses.append(sample.view(4, 1, 8, 8).mean().item())
    return losses


if __name__ == '__main__':
    print(main())
