"""PyTorch's side of `npm run bench -- operators`: the cases of bench/operators/cases.txt, which are Python as they
stand.

Usage: python torch_operators.py THREADS SECONDS WARM_UP FILE   prints a JSON object: seconds of a call by line of the
file and direction
"""

import json, sys
import torch, torch.nn.functional as F
from torch_timing import median_seconds

threads, budget, warm_up, file = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)


class Recorder:
    """The functions of a module, which note their arguments instead of being called."""

    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        fn = getattr(self.module, name)

        def note(*args):
            options = args[-1] if isinstance(args[-1], dict) else {}
            return fn, args[:-1] if options else args, options

        return note


inputs = dict(
    randn=torch.randn,
    rand=torch.rand,
    randint=torch.randint,
    none=None,
    true=True,
    false=False,
    positive=lambda shape: torch.rand(shape) + 0.5,
    transposed=lambda x, a, b: x.transpose(a, b),
    bfloat16=lambda x: x.bfloat16(),
    torch_bool=lambda shape: torch.rand(shape) > 0.5,
    sorted_values=lambda shape: torch.rand(shape).sort().values,
    torch=Recorder(torch),
    F=Recorder(F),
)


def tensors_of(value):
    return (
        [value]
        if isinstance(value, torch.Tensor)
        else [t for v in value for t in tensors_of(v)] if isinstance(value, (list, tuple)) else []
    )


results = {}
for case in open(file).read().split("\n"):
    torch.manual_seed(0)
    fn, args, options = eval(case, inputs)
    with torch.no_grad():
        results[case + " forward"] = median_seconds(lambda: fn(*args, **options), budget, warm_up)
    leaves = [x for x in tensors_of(args) if x.is_floating_point()]
    for x in leaves:
        x.requires_grad_()
    y = tensors_of(fn(*args, **options))[0]
    if not y.requires_grad:
        continue
    g = y.detach().clone()
    results[case + " backward"] = median_seconds(
        lambda: torch.autograd.grad(y, leaves, g, retain_graph=True, allow_unused=True), budget, warm_up
    )
print(json.dumps(results))
