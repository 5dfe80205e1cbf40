/**
 * `save`: what is written, and how; that PyTorch reads it is shown by bytes that follow its own layout (and by
 * scripts/check-checkpoints.py).
 */
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import {
  ArgumentError,
  CheckpointError,
  full,
  load,
  nn,
  save,
  saveToBuffer,
  type Tensor,
  tensor,
} from '../../lib/index.js';
import { rejection } from './rejection.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'nodegrad-save-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Local headers of an archive: name, where its data begin, and how many bytes they are. */
function layout(bytes: Uint8Array): { name: string; start: number; size: number }[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: { name: string; start: number; size: number }[] = [];
  let at = buffer.readUInt32LE(buffer.length - 6);
  while (buffer.readUInt32LE(at) === 0x02014b50) {
    const header = buffer.readUInt32LE(at + 42);
    const nameLength = buffer.readUInt16LE(at + 28);
    entries.push({
      name: buffer.toString('utf8', at + 46, at + 46 + nameLength),
      start: header + 30 + buffer.readUInt16LE(header + 26) + buffer.readUInt16LE(header + 28),
      size: buffer.readUInt32LE(at + 24),
    });
    at += 46 + nameLength + buffer.readUInt16LE(at + 30);
  }
  return entries;
}

describe('save: the file', () => {
  it("has PyTorch's records in PyTorch's order, each at a multiple of 64", async () => {
    const file = path.join(folder, 'my-model.pth');
    await save({ a: tensor([1, 2, 3]), b: full([40], 1, { dtype: 'int8' }) }, file);
    const bytes = await readFile(file);
    const entries = layout(bytes);
    expect(entries.map(({ name }) => name)).to.deep.equal(
      [
        'data.pkl',
        '.format_version',
        '.storage_alignment',
        'byteorder',
        'data/0',
        'data/1',
        'version',
        '.data/serialization_id',
      ].map((name) => `my-model/${name}`),
    );
    for (const { name, start } of entries) expect(start % 64, name).to.equal(0);
    expect(entries.map(({ size }) => size).slice(4, 6)).to.deep.equal([12, 40]);
    const text = (i: number): string => bytes.toString('latin1', entries[i].start, entries[i].start + entries[i].size);
    expect([text(1), text(2), text(3), text(6)]).to.deep.equal(['1', '64', 'little', '3\n']);
    expect(text(4)).to.equal(Buffer.from(Float32Array.of(1, 2, 3).buffer).toString('latin1'));
  });

  it('writes a tensor in the very opcodes of PyTorch', async () => {
    const [pickle] = layout(await saveToBuffer(tensor([1, 2]))).slice(0, 1);
    const bytes = Buffer.from(await saveToBuffer(tensor([1, 2]))).subarray(pickle.start, pickle.start + pickle.size);
    // torch.save(torch.tensor([1., 2.])), its memo numbers of tuples left out.
    const expected = [
      '\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\x00\x00\x00storageq\x01ctorch\nFloatStorage\nq\x02' +
        'X\x01\x00\x00\x000q\x03X\x03\x00\x00\x00cpuq\x04K\x02tQ',
      'K\x00K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\nq\x05)Rq\x06tRq\x07.',
    ].join('');
    expect(bytes.toString('latin1')).to.equal(expected);
  });

  it('writes equal values as equal bytes', async () => {
    const make = (): Promise<Uint8Array> => saveToBuffer({ x: tensor([1, 2]), list: [1, 'a'] });
    expect(Buffer.compare(await make(), await make())).to.equal(0);
  });

  it('writes shared memory once, and all that a view shows', async () => {
    const x = tensor([1, 2, 3, 4]);
    const bytes = await saveToBuffer({ x, y: x.view(2, 2), same: x });
    expect(
      layout(bytes)
        .filter(({ name }) => name.includes('/data/'))
        .map(({ size }) => size),
    ).to.deep.equal([16]);
    const back = await load(bytes);
    expect(back.same).to.equal(back.x);
    back.x.add_(1);
    expect(back.y.tolist()).to.deep.equal([
      [2, 3],
      [4, 5],
    ]);
  });
});

describe('save: values that come back', () => {
  it('every dtype, with shapes and strides', async () => {
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
      const [same, turned, scalar, none] = await load<Tensor[]>(
        await saveToBuffer([x, x.transpose(0, 1), full([], 1, { dtype }), full([2, 0], 1, { dtype })]),
      );
      expect([same.dtype, turned.dtype], dtype).to.deep.equal([dtype, dtype]);
      expect(same.tolist(), dtype).to.deep.equal(x.tolist());
      expect(turned.strides, dtype).to.deep.equal([1, 3]);
      expect(turned.contiguous().tolist(), dtype).to.deep.equal(x.transpose(0, 1).contiguous().tolist());
      expect(scalar.shape, dtype).to.deep.equal([]);
      expect(none.shape, dtype).to.deep.equal([2, 0]);
    }
  });

  it('plain values and containers', async () => {
    const shared = { deep: [1] };
    const value = {
      none: null,
      yes: true,
      no: false,
      integers: [0, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53 - 1)],
      floats: [0.5, -0, 1e300, Number.NaN, Infinity, 2 ** 53],
      bigs: [2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, -(2n ** 100n), 128n ** 9n],
      text: ['', 'a', 'ü', '𝄞', 'x'.repeat(70000)],
      tuple: Object.freeze([1, Object.freeze([2, Object.freeze([])])]),
      map: new Map<unknown, unknown>([
        [0, 'zero'],
        ['a', { b: new Map([[1.5, null]]) }],
      ]),
      set: new Set([1, 'a', true]),
      bytes: Uint8Array.of(0, 127, 128, 255),
      nothing: new Uint8Array(0),
      shared: [shared, shared],
      '': 'empty key',
    };
    const back = await load(await saveToBuffer(value));
    expect(back).to.deep.equal({ ...value, bigs: value.bigs });
    expect(back.shared[0]).to.equal(back.shared[1]);
    expect(back.tuple).to.satisfy(Object.isFrozen);
    expect(Object.is(back.floats[1], -0)).to.equal(true);
  });

  it('keys named __proto__, and undefined as None', async () => {
    const value = JSON.parse('{"__proto__": 1}') as object;
    expect(Object.getOwnPropertyDescriptor(await load(await saveToBuffer(value)), '__proto__')?.value).to.equal(1);
    expect(await load(await saveToBuffer({ x: undefined }))).to.deep.equal({ x: null });
  });

  it('many strings and tensors, past the short memo', async () => {
    const value = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`layer${i}.weight`, tensor([i])]));
    const back = await load(await saveToBuffer(value));
    expect(Object.keys(back)).to.deep.equal(Object.keys(value));
    expect(back['layer699.weight'].item()).to.equal(699);
  });

  it('parameters and cycles', async () => {
    const list: unknown[] = [
      new nn.Parameter(tensor([1])),
      new nn.Parameter(tensor([2]), false),
      tensor([3], { requiresGrad: true }),
    ];
    list.push(list);
    const back = await load<unknown[]>(await saveToBuffer(list));
    expect(back[0]).to.be.instanceOf(nn.Parameter);
    expect((back[1] as Tensor).requiresGrad).to.equal(false);
    expect((back[2] as Tensor).requiresGrad).to.equal(true);
    expect(back[3]).to.equal(back);
  });
});

describe('save: refusals', () => {
  it('name the value and its place, and leave no file', async () => {
    class Model {
      stateDict(): object {
        return {};
      }
    }
    const knot: unknown[] = [[]];
    (knot[0] as unknown[]).push(Object.freeze([knot[0]]));
    const self: unknown[] = [];
    const tuple = Object.freeze([self]);
    self.push(tuple);
    let deep: unknown = [];
    for (let i = 0; i < 2000; i++) deep = [deep];
    for (const [value, message] of [
      [{ a: [1, () => 1] }, /got function .*\(at \.a\[1\]\)/],
      [new Model(), /got Model; save its stateDict\(\) \(at the value itself\)/],
      [{ when: new Date() }, /got Date \(at \.when\)/],
      [{ x: new Float32Array(2) }, /Float32Array; make it a tensor/],
      [Symbol('s'), /Symbol/],
      [new Map([[{}, 1]]), /as dict key/],
      ['\ud800', /surrogate/],
      [2n ** 4000n, /255 bytes/],
      [tuple, /do not hold themselves/],
      [deep, /nested at most/],
    ] as const) {
      const error = await rejection(save(value, path.join(folder, 'x.pt')));
      expect(error, String(message)).to.be.instanceOf(ArgumentError);
      expect(error.message).to.match(message);
    }
    expect(await load(await saveToBuffer(knot))).to.have.length(1);
    expect(await readdir(folder)).to.deep.equal([]);
  });

  it('of a change while the file is being written', async () => {
    const x = full([1000], 1);
    const file = path.join(folder, 'x.pt');
    await save({ x }, file);
    const saving = save({ x }, file);
    x.add_(1);
    const error = await rejection(saving);
    expect(error).to.be.instanceOf(CheckpointError);
    expect(error.message).to.match(/await save\(\)/);
    expect((await load(file)).x.toTypedArray()[0]).to.equal(1);
    expect(await readdir(folder)).to.deep.equal(['x.pt']);
  });
});

describe('save: atomic', () => {
  it('replaces a file in one step and leaves nothing else', async () => {
    const file = path.join(folder, 'x.pt');
    await writeFile(file, 'old');
    await chmod(file, 0o640);
    await save({ x: 1 }, file);
    expect(await load(file)).to.deep.equal({ x: 1 });
    expect((await stat(file)).mode & 0o777).to.equal(0o640);
    expect(await readdir(folder)).to.deep.equal(['x.pt']);
  });

  it('follows a link instead of replacing it', async () => {
    await writeFile(path.join(folder, 'real.pt'), 'old');
    await symlink('real.pt', path.join(folder, 'link.pt'));
    await save([1], path.join(folder, 'link.pt'));
    expect((await lstat(path.join(folder, 'link.pt'))).isSymbolicLink()).to.equal(true);
    expect(await load(path.join(folder, 'real.pt'))).to.deep.equal([1]);
  });

  it('keeps the old file and no other where writing fails', async () => {
    const target = path.join(folder, 'folder.pt');
    await mkdir(target);
    expect((await rejection(save([1], target))).message).to.match(/got the folder/);
    expect((await rejection(save([1], path.join(folder, 'no', 'x.pt')))).message).to.match(
      /^save: expected to write .* got ENOENT/,
    );
    expect(await readdir(folder)).to.deep.equal(['folder.pt']);
  });

  it('is safe against itself: many at once leave one whole file', async () => {
    const file = path.join(folder, 'x.pt');
    await Promise.all(Array.from({ length: 12 }, (_, i) => save({ i, x: full([5000], i) }, file)));
    const { i, x } = await load(file);
    expect([...new Set(x.toTypedArray())]).to.deep.equal([i]);
    expect(await readdir(folder)).to.deep.equal(['x.pt']);
  });
});
