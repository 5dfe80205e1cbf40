"""Neural radiance fields (Mildenhall and others, 2020): a coarse and a fine network render rays through a coloured
ball."""
import torch
import torch.nn as nn
import torch.nn.functional as F

img2mse = lambda x, y: torch.mean((x - y) ** 2)
mse2psnr = lambda x: -10. * torch.log(x) / torch.log(torch.Tensor([10.]))


class Embedder:
    def __init__(self, input_dims, num_freqs):
        freq_bands = 2. ** torch.linspace(0., num_freqs - 1, steps=num_freqs)
        embed_fns = [lambda x: x]
        out_dim = input_dims
        for freq in freq_bands:
            for p_fn in [torch.sin, torch.cos]:
                embed_fns.append(lambda x, p_fn=p_fn, freq=freq: p_fn(x * freq))
                out_dim += input_dims
        self.embed_fns = embed_fns
        self.out_dim = out_dim

    def embed(self, inputs):
        return torch.cat([fn(inputs) for fn in self.embed_fns], -1)


class NeRF(nn.Module):
    def __init__(self, D=4, W=16, input_ch=3, input_ch_views=3, skips=(2,)):
        super().__init__()
        self.input_ch = input_ch
        self.input_ch_views = input_ch_views
        self.skips = skips
        self.pts_linears = nn.ModuleList(
            [nn.Linear(input_ch, W)] +
            [nn.Linear(W, W) if i not in self.skips else nn.Linear(W + input_ch, W) for i in range(D - 1)])
        self.views_linears = nn.ModuleList([nn.Linear(input_ch_views + W, W // 2)])
        self.feature_linear = nn.Linear(W, W)
        self.alpha_linear = nn.Linear(W, 1)
        self.rgb_linear = nn.Linear(W // 2, 3)

    def forward(self, x):
        input_pts, input_views = torch.split(x, [self.input_ch, self.input_ch_views], dim=-1)
        h = input_pts
        for i, l in enumerate(self.pts_linears):
            h = self.pts_linears[i](h)
            h = F.relu(h)
            if i in self.skips:
                h = torch.cat([input_pts, h], -1)
        alpha = self.alpha_linear(h)
        feature = self.feature_linear(h)
        h = torch.cat([feature, input_views], -1)
        for i, l in enumerate(self.views_linears):
            h = self.views_linears[i](h)
            h = F.relu(h)
        rgb = self.rgb_linear(h)
        return torch.cat([rgb, alpha], -1)


def get_rays(H, W, focal, c2w):
    i, j = torch.meshgrid(torch.linspace(0, W - 1, W), torch.linspace(0, H - 1, H), indexing='ij')
    i = i.t()
    j = j.t()
    dirs = torch.stack([(i - W * .5) / focal, -(j - H * .5) / focal, -torch.ones_like(i)], -1)
    # The dot product of each direction with each row of the camera's rotation.
    rays_d = torch.sum(dirs[..., None, :] * c2w[:3, :3], -1)
    rays_o = c2w[:3, -1].expand(rays_d.shape)
    return rays_o, rays_d


def sample_pdf(bins, weights, N_samples):
    weights = weights + 1e-5
    pdf = weights / torch.sum(weights, -1, keepdim=True)
    cdf = torch.cumsum(pdf, -1)
    cdf = torch.cat([torch.zeros_like(cdf[..., :1]), cdf], -1)
    u = torch.rand(list(cdf.shape[:-1]) + [N_samples])

    u = u.contiguous()
    inds = torch.searchsorted(cdf, u, right=True)
    below = torch.max(torch.zeros_like(inds - 1), inds - 1)
    above = torch.min((cdf.shape[-1] - 1) * torch.ones_like(inds), inds)
    inds_g = torch.stack([below, above], -1)

    matched_shape = [inds_g.shape[0], inds_g.shape[1], cdf.shape[-1]]
    cdf_g = torch.gather(cdf.unsqueeze(1).expand(matched_shape), 2, inds_g)
    bins_g = torch.gather(bins.unsqueeze(1).expand(matched_shape), 2, inds_g)

    denom = cdf_g[..., 1] - cdf_g[..., 0]
    denom = torch.where(denom < 1e-5, torch.ones_like(denom), denom)
    t = (u - cdf_g[..., 0]) / denom
    return bins_g[..., 0] + t * (bins_g[..., 1] - bins_g[..., 0])


def raw2outputs(raw, z_vals, rays_d, raw_noise_std=0.):
    raw2alpha = lambda raw, dists, act_fn=F.relu: 1. - torch.exp(-act_fn(raw) * dists)
    dists = z_vals[..., 1:] - z_vals[..., :-1]
    dists = torch.cat([dists, torch.Tensor([1e10]).expand(dists[..., :1].shape)], -1)
    dists = dists * torch.norm(rays_d[..., None, :], dim=-1)

    rgb = torch.sigmoid(raw[..., :3])
    noise = 0.
    if raw_noise_std > 0.:
        noise = torch.randn(raw[..., 3].shape) * raw_noise_std
    alpha = raw2alpha(raw[..., 3] + noise, dists)
    transmittance = torch.cumprod(torch.cat([torch.ones((alpha.shape[0], 1)), 1. - alpha + 1e-10], -1), -1)[:, :-1]
    weights = alpha * transmittance
    rgb_map = torch.sum(weights[..., None] * rgb, -2)
    acc_map = torch.sum(weights, -1)
    rgb_map = rgb_map + (1. - acc_map[..., None])
    return rgb_map, weights


def run_network(inputs, viewdirs, fn, embed_fn, embeddirs_fn):
    inputs_flat = torch.reshape(inputs, [-1, inputs.shape[-1]])
    embedded = embed_fn(inputs_flat)
    input_dirs = viewdirs[:, None].expand(inputs.shape)
    input_dirs_flat = torch.reshape(input_dirs, [-1, input_dirs.shape[-1]])
    embedded = torch.cat([embedded, embeddirs_fn(input_dirs_flat)], -1)
    outputs_flat = fn(embedded)
    return torch.reshape(outputs_flat, list(inputs.shape[:-1]) + [outputs_flat.shape[-1]])


def render_rays(rays_o, rays_d, query_fn, network_fn, network_fine, near=1., far=3., N_samples=8, N_importance=8,
                perturb=1., raw_noise_std=0.5):
    N_rays = rays_o.shape[0]
    viewdirs = rays_d / torch.norm(rays_d, dim=-1, keepdim=True)
    t_vals = torch.linspace(0., 1., steps=N_samples)
    z_vals = near * (1. - t_vals) + far * t_vals
    z_vals = z_vals.expand([N_rays, N_samples])
    if perturb > 0.:
        mids = .5 * (z_vals[..., 1:] + z_vals[..., :-1])
        upper = torch.cat([mids, z_vals[..., -1:]], -1)
        lower = torch.cat([z_vals[..., :1], mids], -1)
        t_rand = torch.rand(z_vals.shape)
        z_vals = lower + (upper - lower) * t_rand
    pts = rays_o[..., None, :] + rays_d[..., None, :] * z_vals[..., :, None]
    raw = query_fn(pts, viewdirs, network_fn)
    rgb_map_0, weights = raw2outputs(raw, z_vals, rays_d, raw_noise_std)

    z_vals_mid = .5 * (z_vals[..., 1:] + z_vals[..., :-1])
    z_samples = sample_pdf(z_vals_mid, weights[..., 1:-1], N_importance)
    z_samples = z_samples.detach()
    z_vals, _ = torch.sort(torch.cat([z_vals, z_samples], -1), -1)
    pts = rays_o[..., None, :] + rays_d[..., None, :] * z_vals[..., :, None]
    raw = query_fn(pts, viewdirs, network_fine)
    rgb_map, weights = raw2outputs(raw, z_vals, rays_d, raw_noise_std)
    return rgb_map, rgb_map_0


def ball(rays_o, rays_d):
    """The colours that rays see of a ball of radius 0.6: its normals, before white."""
    d = rays_d / rays_d.norm(dim=-1, keepdim=True)
    b = (rays_o * d).sum(-1)
    c = (rays_o * rays_o).sum(-1) - 0.36
    disc = b * b - c
    t = -b - torch.sqrt(disc.clamp(min=0))
    normal = F.normalize(rays_o + t.unsqueeze(-1) * d, dim=-1)
    return torch.where((disc > 0).unsqueeze(-1), 0.5 * normal + 0.5, torch.ones_like(normal))


def main():
    torch.manual_seed(6)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    embedder, embedder_dirs = Embedder(3, 3), Embedder(3, 1)
    model = NeRF(input_ch=embedder.out_dim, input_ch_views=embedder_dirs.out_dim).to(device)
    grad_vars = list(model.parameters())
    model_fine = NeRF(input_ch=embedder.out_dim, input_ch_views=embedder_dirs.out_dim).to(device)
    grad_vars += list(model_fine.parameters())
    query_fn = lambda inputs, viewdirs, network_fn: \
        run_network(inputs, viewdirs, network_fn, embedder.embed, embedder_dirs.embed)
    lrate, lrate_decay = 5e-3, 20
    optimizer = torch.optim.Adam(params=grad_vars, lr=lrate, betas=(0.9, 0.999))

    H, W, focal = 10, 10, 10.
    pose = torch.eye(4)
    pose[2, 3] = 2.
    rays_o, rays_d = get_rays(H, W, focal, pose[:3, :4])
    target = ball(rays_o, rays_d).to(device)
    coords = torch.stack(torch.meshgrid(torch.linspace(0, H - 1, H), torch.linspace(0, W - 1, W), indexing='ij'), -1)
    coords = torch.reshape(coords, [-1, 2])

    losses = []
    global_step = 0
    for i in range(30):
        select_inds = torch.randperm(coords.shape[0])[:24]
        select_coords = coords[select_inds].long()
        batch_o = rays_o[select_coords[:, 0], select_coords[:, 1]]
        batch_d = rays_d[select_coords[:, 0], select_coords[:, 1]]
        target_s = target[select_coords[:, 0], select_coords[:, 1]]

        rgb, rgb0 = render_rays(batch_o, batch_d, query_fn, model, model_fine)
        optimizer.zero_grad()
        img_loss = img2mse(rgb, target_s)
        loss = img_loss + img2mse(rgb0, target_s)
        psnr = mse2psnr(img_loss)
        loss.backward()
        optimizer.step()

        new_lrate = lrate * (0.1 ** (global_step / lrate_decay))
        for param_group in optimizer.param_groups:
            param_group['lr'] = new_lrate
        global_step += 1
        losses.append(loss.item())
        losses.append(psnr.item() / 10)

    with torch.no_grad():
        rgb, _ = render_rays(
            rays_o.reshape(-1, 3), rays_d.reshape(-1, 3), query_fn, model, model_fine, perturb=0., raw_noise_std=0.)
        losses.append(img2mse(rgb.view(H, W, 3), target).item())
    return losses


if __name__ == '__main__':
    print(main())
