/**
 * Shows that PyTorch reads what `save` writes: saves one checkpoint of everything, and lets Python load it with
 * weights_only=True, by memory map as well, compare every value, and save it again for `load`.
 *
 * usage: PYTHON=/path/to/python node --import tsx scripts/check-checkpoints.ts      (PyTorch 2.x)
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { full, load, nn, optim, save, type Tensor, tensor } from '../lib/index.js';

const CHECK = `
import collections, sys, zipfile, torch
file, again = sys.argv[1:]
assert zipfile.ZipFile(file).testzip() is None
for mmap in (False, True):
    c = torch.load(file, weights_only=True, mmap=mmap)
    for name in "float32 float64 int64 int32 int16 int8 uint8 bool bfloat16 float16".split():
        dtype = getattr(torch, name)
        x, turned, scalar, empty = c["tensors"][name]
        assert x.dtype == dtype and torch.equal(x, torch.tensor([[0, 1, 2], [3, 4, 5]]).to(dtype)), name
        assert turned.stride() == (1, 3) and torch.equal(turned, x.t()) and turned.data_ptr() == x.data_ptr(), name
        assert scalar.shape == () and scalar.item() == 1 and empty.shape == (0, 2), name
        assert x.data_ptr() % 64 == 0 or not mmap, name
    assert c["integers"] == [0, 255, 256, 65536, -1, 2**31, -2**31 - 1, 2**53 - 1, 2**63, -2**63, 2**100]
    assert all(type(i) is int for i in c["integers"])
    assert c["floats"][:3] == [0.5, 1e300, float("-inf")]
    assert str(c["floats"][3]) == "-0.0" and c["floats"][4] != c["floats"][4]
    assert c["text"] == "Grüße 🧠" and c["none"] is None and c["booleans"] == [True, False]
    assert c["tuple"] == (0.9, (1, 2, 3, 4), ()) and c["set"] == {1, "a"} and c["bytes"] == bytes(range(256))
    assert c["state"][0]["step"].item() == 7 and list(c["state"]) == [0, 10]
    assert c["same"][0] is c["same"][1]
    assert type(c["parameter"]) is torch.nn.Parameter and c["parameter"].requires_grad and c["leaf"].requires_grad
    assert type(c["frozen"]) is torch.nn.Parameter and not c["frozen"].requires_grad
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Sequential(torch.nn.BatchNorm1d(4)))
    assert type(c["normed"]) is collections.OrderedDict and type(c["normed"]._metadata) is collections.OrderedDict
    assert dict(c["normed"]._metadata) == dict(model.state_dict()._metadata)
    model.load_state_dict(c["normed"])
    del c["normed"]["1.0.num_batches_tracked"]
    assert model.load_state_dict(c["normed"], strict=False).missing_keys == ["1.0.num_batches_tracked"]
    model = torch.nn.Linear(3, 2)
    model.load_state_dict(c["model"])
    assert torch.equal(model.weight, torch.arange(6.0).reshape(2, 3))
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    model.load_state_dict(c["training"]["model"])
    optimizer = torch.optim.AdamW(model.parameters())
    optimizer.load_state_dict(c["training"]["optimizer"])
    assert optimizer.param_groups[0]["lr"] == 0.25 and tuple(optimizer.param_groups[0]["betas"]) == (0.5, 0.75)
    for p in model.parameters():
        p.grad = torch.full_like(p, 0.5)
    optimizer.step()
c["training"]["stepped"] = model.state_dict()
torch.save(c, again)
`;

const folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-check-'));
try {
  const tensors: Record<string, Tensor[]> = {};
  for (const dtype of [
    'float32',
    'float64',
    'int64',
    'int32',
    'int16',
    'int8',
    'uint8',
    'bool',
    'bfloat16',
    'float16',
  ] as const) {
    const x = tensor(
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      { dtype },
    );
    tensors[dtype] = [
      x,
      x.transpose(0, 1),
      tensor(1, { dtype }),
      tensor(new Float32Array(0), { shape: [0, 2], dtype }),
    ];
  }
  const shared = [1];
  // One step here, saved, and one more both here and in PyTorch.
  const model = new nn.Sequential(new nn.Linear(3, 4), new nn.Linear(4, 2));
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.25, betas: [0.5, 0.75] });
  const step = (): void => {
    for (const parameter of model.parameters()) parameter.grad = full([...parameter.shape], 0.5);
    optimizer.step();
  };
  step();
  const value = {
    tensors,
    integers: [0, 255, 256, 65536, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, 2n ** 63n, -(2n ** 63n), 2n ** 100n],
    floats: [0.5, 1e300, -Infinity, -0, Number.NaN],
    text: 'Grüße 🧠',
    none: null,
    booleans: [true, false],
    tuple: Object.freeze([0.9, Object.freeze([1, 2, 3, 4]), Object.freeze([])]),
    set: new Set([1, 'a']),
    bytes: Uint8Array.from({ length: 256 }, (_, i) => i),
    state: new Map([
      [0, { step: tensor(7) }],
      [10, { step: tensor(8) }],
    ]),
    same: [shared, shared],
    parameter: new nn.Parameter(tensor([1])),
    frozen: new nn.Parameter(tensor([1]), false),
    leaf: tensor([1], { requiresGrad: true }),
    model: { weight: tensor([0, 1, 2, 3, 4, 5]).view(2, 3), bias: tensor([0, 0]) },
    normed: new nn.Sequential(new nn.Linear(3, 4), new nn.Sequential(new nn.BatchNorm1d(4))).stateDict(),
    training: { model: model.stateDict(), optimizer: optimizer.stateDict() },
  };
  const [file, again] = ['ours.pt', 'theirs.pt'].map((name) => path.join(folder, name));
  await save(value, file);
  const python = spawnSync(process.env.PYTHON ?? 'python3', ['-c', CHECK, file, again], {
    stdio: 'inherit',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  });
  if (python.status !== 0) throw new Error('PyTorch does not read the checkpoint as it was meant');
  const strip = (checkpoint: typeof value): unknown => ({
    ...checkpoint,
    tensors: null,
    state: null,
    parameter: null,
    frozen: null,
    leaf: null,
    model: null,
    normed: null,
    training: null,
  });
  if (!isDeepStrictEqual(strip(await load(again)), strip(await load(file))))
    throw new Error('what PyTorch saved again differs');
  step();
  const { stepped } = (await load(again)).training as { stepped: Record<string, Tensor> };
  for (const [key, ours] of Object.entries(model.stateDict())) {
    const [a, b] = [ours, stepped[key]].map((x) => (x as Tensor).flatten().tolist() as number[]);
    if (a.some((value, i) => Math.abs(value - b[i]) > 1e-6)) throw new Error(`the next step differs in ${key}`);
  }
  console.log('PyTorch reads what save writes, and load what PyTorch makes of it');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
