"""A denoising diffusion model (Ho and others, 2020) with a small convolutional network and an average of its
weights."""
import copy
import math

import torch
from torch import nn
from torch.nn import functional as F


class SinusoidalPosEmb(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        device = x.device
        half_dim = self.dim // 2
        emb = math.log(10000) / (half_dim - 1)
        emb = torch.exp(torch.arange(half_dim, device=device) * -emb)
        emb = x[:, None] * emb[None, :]
        emb = torch.cat((emb.sin(), emb.cos()), dim=-1)
        return emb


class ResnetBlock(nn.Module):
    def __init__(self, dim, dim_out, *, time_emb_dim, groups=4):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time_emb_dim, dim_out * 2))
        self.norm1 = nn.GroupNorm(groups, dim)
        self.conv1 = nn.Conv2d(dim, dim_out, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, dim_out)
        self.conv2 = nn.Conv2d(dim_out, dim_out, 3, padding=1)
        self.res_conv = nn.Conv2d(dim, dim_out, 1) if dim != dim_out else nn.Identity()

    def forward(self, x, time_emb):
        time_emb = self.mlp(time_emb)[:, :, None, None]
        scale, shift = time_emb.chunk(2, dim=1)
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h) * (scale + 1) + shift
        h = self.conv2(F.silu(h))
        return h + self.res_conv(x)


class Denoiser(nn.Module):
    def __init__(self, dim=8, dim_mults=(1, 2)):
        super().__init__()
        time_dim = dim * 4
        self.init_conv = nn.Conv2d(1, dim, 3, padding=1)
        self.time_mlp = nn.Sequential(
            SinusoidalPosEmb(dim), nn.Linear(dim, time_dim), nn.GELU(), nn.Linear(time_dim, time_dim))
        dims = [dim, *map(lambda m: dim * m, dim_mults)]
        in_out = list(zip(dims[:-1], dims[1:]))
        self.downs = nn.ModuleList([])
        self.ups = nn.ModuleList([])
        for dim_in, dim_out in in_out:
            self.downs.append(nn.ModuleList([
                ResnetBlock(dim_in, dim_out, time_emb_dim=time_dim),
                nn.Conv2d(dim_out, dim_out, 4, 2, 1),
            ]))
        for dim_in, dim_out in reversed(in_out):
            self.ups.append(nn.ModuleList([
                nn.Upsample(scale_factor=2, mode='nearest'),
                ResnetBlock(dim_out * 2, dim_in, time_emb_dim=time_dim),
            ]))
        self.final_conv = nn.Conv2d(dim, 1, 1)

    def forward(self, x, time):
        x = self.init_conv(x)
        t = self.time_mlp(time)
        h = []
        for block, downsample in self.downs:
            x = block(x, t)
            h.append(x)
            x = downsample(x)
        for upsample, block in self.ups:
            x = upsample(x)
            x = torch.cat((x, h.pop()), dim=1)
            x = block(x, t)
        return self.final_conv(x)


def extract(a, t, x_shape):
    b, *_ = t.shape
    out = a.gather(-1, t)
    return out.reshape(b, *((1,) * (len(x_shape) - 1)))


class GaussianDiffusion(nn.Module):
    def __init__(self, model, timesteps=50):
        super().__init__()
        self.model = model
        self.num_timesteps = timesteps
        betas = torch.linspace(1e-3, 0.2, timesteps, dtype=torch.float64)
        alphas = 1. - betas
        alphas_cumprod = torch.cumprod(alphas, dim=0)
        alphas_cumprod_prev = F.pad(alphas_cumprod[:-1], (1, 0), value=1.)
        register_buffer = lambda name, val: self.register_buffer(name, val.to(torch.float32))
        register_buffer('betas', betas)
        register_buffer('sqrt_alphas_cumprod', torch.sqrt(alphas_cumprod))
        register_buffer('sqrt_one_minus_alphas_cumprod', torch.sqrt(1. - alphas_cumprod))
        register_buffer('sqrt_recip_alphas', torch.sqrt(1. / alphas))
        register_buffer('posterior_variance', betas * (1. - alphas_cumprod_prev) / (1. - alphas_cumprod))

    def q_sample(self, x_start, t, noise):
        return (
            extract(self.sqrt_alphas_cumprod, t, x_start.shape) * x_start +
            extract(self.sqrt_one_minus_alphas_cumprod, t, x_start.shape) * noise
        )

    @torch.no_grad()
    def p_sample(self, x, t):
        b = x.shape[0]
        batched_times = torch.full((b,), t, device=x.device, dtype=torch.long)
        eps = self.model(x, batched_times)
        coef = extract(self.betas / self.sqrt_one_minus_alphas_cumprod, batched_times, x.shape)
        mean = extract(self.sqrt_recip_alphas, batched_times, x.shape) * (x - coef * eps)
        noise = torch.randn_like(x) if t > 0 else 0.
        return mean + extract(self.posterior_variance, batched_times, x.shape).sqrt() * noise

    def forward(self, img):
        t = torch.randint(0, self.num_timesteps, (img.shape[0],), device=img.device).long()
        noise = torch.randn_like(img)
        x = self.q_sample(img, t, noise)
        return F.mse_loss(self.model(x, t), noise)


class EMA:
    def __init__(self, beta):
        self.beta = beta

    def update_model_average(self, ma_model, current_model):
        for current_params, ma_params in zip(current_model.parameters(), ma_model.parameters()):
            old_weight, up_weight = ma_params.data, current_params.data
            ma_params.data = old_weight * self.beta + (1 - self.beta) * up_weight


def blobs(count):
    grid = torch.linspace(-1, 1, 8)
    y, x = torch.meshgrid(grid, grid, indexing='ij')
    center = torch.rand(count, 2, 1, 1) - 0.5
    distance = (y - center[:, 0]) ** 2 + (x - center[:, 1]) ** 2
    return (torch.exp(-4 * distance) * 2 - 1).unsqueeze(1)


def main():
    torch.manual_seed(4)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    diffusion = GaussianDiffusion(Denoiser()).to(device)
    opt = torch.optim.Adam(diffusion.parameters(), lr=2e-3, betas=(0.9, 0.99))
    ema_model = copy.deepcopy(diffusion)
    ema = EMA(0.8)

    losses = []
    for step in range(30):
        total_loss = 0.
        for _ in range(2):
            loss = diffusion(blobs(4).to(device)) / 2
            total_loss += loss.item()
            loss.backward()
        nn.utils.clip_grad_norm_(diffusion.parameters(), 1.0)
        opt.step()
        opt.zero_grad()
        if step % 3 == 0:
            ema.update_model_average(ema_model, diffusion)
        losses.append(total_loss)

    ema_model.eval()
    img = torch.randn(2, 1, 8, 8, device=device)
    for t in reversed(range(0, 10)):
        img = ema_model.p_sample(img, t)
    losses.append(img.mean().item())
    losses.append(img.std().item())
    return losses


if __name__ == '__main__':
    print(main())
