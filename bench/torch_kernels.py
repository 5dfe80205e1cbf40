"""PyTorch's side of `npm run bench -- kernels`: the cases of bench/kernels/cases.ts by the same names.

Usage: python torch_kernels.py THREADS SECONDS SECTION NAME...   prints a JSON object: seconds of a call by name
"""

import json, sys
import torch, torch.nn.functional as F
from torch_timing import median_seconds

threads, budget, section, *names = sys.argv[1:]
torch.set_num_threads(int(threads))
LARGE = 16 * 2**20


def backward(y, x):
    g = None if y.numel() == 1 else torch.randn_like(y)
    return lambda: torch.autograd.grad(y, x, g, retain_graph=True)


def gemm(name):
    m, k, n = map(int, name.split("x"))
    a, b = torch.randn(m, k), torch.randn(k, n)
    return lambda: a.mm(b)


def conv(name):
    shape, which = name.split(" | ")
    n, c, k, s = map(int, shape.split(","))
    x, w = torch.randn(n, c, s, s), torch.randn(k, c, 3, 3)
    if which == "forward":
        return lambda: F.conv2d(x, w, padding=1)
    t = (x if which == "to input" else w).requires_grad_()
    return backward(F.conv2d(x, w, padding=1), t)


def pointwise(fn):
    def make():
        x = torch.randn(LARGE)
        return lambda: fn(x)

    return make


def pair(fn):
    def make():
        x, y = torch.randn(LARGE), torch.randn(LARGE)
        return lambda: fn(x, y)

    return make


def both(shape, fn):
    def forward():
        x = torch.randn(shape)

        def run():
            with torch.no_grad():
                fn(x)

        return run

    def back():
        x = torch.randn(shape, requires_grad=True)
        return backward(fn(x), x)

    return forward, back


def adam():
    p = torch.nn.Parameter(torch.randn(LARGE))
    p.grad = torch.randn(LARGE)
    o = torch.optim.Adam([p], lr=1e-3)
    return o.step


image = (16, 64, 128, 128)
target = torch.randint(0, 1000, (16384,))
rows = [torch.rand(1024, requires_grad=True) for _ in range(2)]
channels = [torch.rand(64, requires_grad=True) for _ in range(2)]
B = {
    "relu": pointwise(torch.relu),
    "add": pair(torch.add),
    "mul": pair(torch.mul),
    "copy": pointwise(torch.clone),
    "exp": pointwise(torch.exp),
    "tanh": pointwise(torch.tanh),
    "sigmoid": pointwise(torch.sigmoid),
    "gelu": pointwise(F.gelu),
    "erf": pointwise(torch.erf),
    "adam": adam,
}
for name, shape, fn in (
    ("softmax", (16384, 1024), lambda x: x.softmax(1)),
    ("layerNorm", (16384, 1024), lambda x: F.layer_norm(x, (1024,), *rows)),
    ("batchNorm", image, lambda x: F.batch_norm(x, None, None, *channels, True)),
    ("maxPool", image, lambda x: F.max_pool2d(x, 2)),
    ("crossEntropy", (16384, 1000), lambda x: F.cross_entropy(x, target)),
):
    B[name], B[name + " backward"] = both(shape, fn)

torch.manual_seed(0)
print(
    json.dumps(
        {
            name: median_seconds(
                gemm(name) if section == "gemm" else conv(name) if section == "conv" else B[name](), float(budget)
            )
            for name in names
        }
    )
)
