/**
 * Files that are damaged or mean harm: each ends in a CheckpointError that says why, with nothing executed and nothing
 * half loaded.
 */
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { CheckpointError, load, saveToBuffer, type Tensor, tensor } from '../../lib/index.js';
import { ZipWriter } from '../../lib/serialization/zip-writer.js';
import { checkpoint, type Entry, fourFloats, op, pickle, storage, tensorOf, zip } from './forge.js';
import { rejection } from './rejection.js';

async function expectRefusal(bytes: Uint8Array, message: RegExp, name?: string): Promise<void> {
  const error = await rejection(load(bytes));
  expect(error, `${name ?? message}: ${error.message}`).to.be.instanceOf(CheckpointError);
  expect(error.message, name).to.match(message);
  expect(error.message, name).to.match(/^load: expected /);
}
function refuses(name: string, bytes: () => Uint8Array, message: RegExp): void {
  it(name, () => expectRefusal(bytes(), message));
}

describe('load: what the forge makes when it is honest', () => {
  it('loads', async () => {
    expect((await load<Tensor>(checkpoint(pickle(tensorOf())))).tolist()).to.deep.equal([1, 2, 3, 4]);
    expect(
      (await load<Tensor>(checkpoint(pickle(tensorOf({ offset: 1, size: [2, 3], stride: [1, 0] })))))
        .contiguous()
        .tolist(),
    ).to.deep.equal([
      [2, 2, 2],
      [3, 3, 3],
    ]);
    expect(
      await load(
        zip([{ name: 'a/data.pkl', data: pickle(op.none) }], { comment: 'PK\x05\x06 in a comment'.padEnd(40) }),
      ),
    ).to.equal(null);
  });

  it('loads bytes of the other order', async () => {
    const swapped = Buffer.from(fourFloats).swap32();
    const file = checkpoint(pickle(tensorOf()), [
      { name: 'a/data/0', data: swapped },
      { name: 'a/byteorder', data: Buffer.from('big') },
    ]);
    expect((await load<Tensor>(file)).tolist()).to.deep.equal([1, 2, 3, 4]);
  });

  it('loads entries that need 64 bits', async () => {
    const wide = (...values: number[]): Uint8Array => {
      const field = Buffer.alloc(4 + 8 * values.length);
      field.writeUInt16LE(1, 0);
      field.writeUInt16LE(8 * values.length, 2);
      for (let i = 0; i < values.length; i++) field.writeBigUInt64LE(BigInt(values[i]), 4 + 8 * i);
      return field;
    };
    const content = pickle(tensorOf());
    const first: Entry = { name: 'a/data.pkl', data: content };
    const second: Entry = { name: 'a/data/0', data: fourFloats, size: 0xffffffff, extra: wide(16, 16) };
    expect((await load<Tensor>(zip([first, second]))).tolist()).to.deep.equal([1, 2, 3, 4]);
    await expectRefusal(
      zip([first, { ...second, extra: wide(2 ** 40, 2 ** 40) }]),
      /declares 1099511627776 bytes, more than the file has/,
    );
    await expectRefusal(zip([first, { ...second, extra: wide(16) }]), /64-bit sizes of "a\/data\/0" are incomplete/);
    await expectRefusal(
      zip([first, { ...second, extra: new Uint8Array(0) }]),
      /64-bit sizes of "a\/data\/0" are missing/,
    );
  });
});

describe('save: archives beyond 4 GiB', () => {
  it('carry sizes and offsets of 64 bits, forced here by a lower limit', async () => {
    for (const wideFrom of [0, 5, 100]) {
      const parts: Buffer[] = [];
      const writer = new ZipWriter(async (bytes) => void parts.push(Buffer.from(bytes)), wideFrom);
      await writer.add('a/data.pkl', pickle(tensorOf()));
      await writer.add('a/data/0', fourFloats);
      await writer.finish();
      const bytes = Buffer.concat(parts);
      expect(bytes.includes(Buffer.from([0x01, 0x00, wideFrom === 100 ? 8 : 24, 0x00])), `from ${wideFrom}`).to.equal(
        true,
      );
      expect((await load<Tensor>(bytes)).tolist()).to.deep.equal([1, 2, 3, 4]);
    }
  });
});

describe('load: damaged files', () => {
  refuses('nothing', () => new Uint8Array(0), /an empty file/);
  refuses('text', () => Buffer.from('hello, this is not a checkpoint at all'), /something else/);
  refuses('a bare pickle', () => pickle(op.none), /before 1\.6/);
  refuses(
    'an archive of something else',
    () => zip([{ name: 'word/document.xml', data: Buffer.from('<x/>') }]),
    /with 0/,
  );
  refuses(
    'two pickles',
    () => zip(['a', 'b'].map((root) => ({ name: `${root}/data.pkl`, data: pickle(op.none) }))),
    /with 2/,
  );
  refuses(
    'an unknown version',
    () => checkpoint(pickle(op.none), [{ name: 'a/version', data: Buffer.from('99') }]).subarray(0),
    /two records are named "a\/version"/,
  );
  refuses(
    'a version of the future',
    () =>
      zip([
        { name: 'a/data.pkl', data: pickle(op.none) },
        { name: 'a/version', data: Buffer.from('99') },
      ]),
    /format version 1 to 10, got "99"/,
  );
  refuses(
    'an unknown byte order',
    () => checkpoint(pickle(op.none), [{ name: 'a/byteorder', data: Buffer.from('middle') }]),
    /byte order/,
  );

  it('cut off anywhere', async () => {
    const whole = await saveToBuffer({ x: tensor([1, 2, 3]), name: 'abc' });
    for (let length = 0; length < whole.length; length += 7) {
      const error = await rejection(load(whole.subarray(0, length)));
      expect(error, `${length} of ${whole.length} bytes`).to.be.instanceOf(CheckpointError);
    }
  });

  it('with any one byte changed: refused, or the same values', async () => {
    const values = { x: tensor([1, 2, 3]), name: 'abc', n: [1, 2.5, null] };
    const whole = await saveToBuffer(values);
    let refused = 0;
    for (let i = 0; i < whole.length; i++) {
      const damagedFile = whole.slice();
      damagedFile[i] ^= 0x41;
      try {
        // Padding, dates and the 32-bit copies of sizes mean nothing: then the values must be right.
        const back = await load(damagedFile);
        expect(back.x.tolist()).to.deep.equal([1, 2, 3]);
        expect([back.name, back.n]).to.deep.equal([values.name, values.n]);
      } catch (error) {
        expect(error, `byte ${i}`).to.be.instanceOf(CheckpointError);
        refused++;
      }
    }
    expect(refused).to.be.greaterThan(500);
  });
});

describe('load: hostile archives', () => {
  const root: Entry = { name: 'a/data.pkl', data: pickle(tensorOf()) };
  const data: Entry = { name: 'a/data/0', data: fourFloats };
  refuses('a wrong checksum', () => zip([root, { ...data, crc: 1 }]), /checksum of "a\/data\/0" is wrong/);
  refuses('a record twice', () => zip([root, data, data]), /two records are named "a\/data\/0"/);
  refuses(
    'a record larger than the file',
    () => zip([root, { ...data, size: 2 ** 31 }]),
    /declares 2147483648 bytes, more than the file has/,
  );
  refuses(
    'records that overlap',
    () => zip([root, data, { name: 'a/data/1', data: fourFloats, offset: 0 }]),
    /more than the file has for it|does not agree/,
  );
  refuses(
    'a header that belongs to another',
    () => zip([root, { ...data, localName: 'a/data/9' }]),
    /does not agree with the directory/,
  );
  refuses(
    'a directory beyond the file',
    () => zip([root, data], { directoryOffset: 2 ** 31 }),
    /directory lies outside/,
  );
  refuses('a directory that is too long', () => zip([root, data], { directoryBytes: 2 ** 30 }), /directory/);
  refuses(
    'more entries than the directory has',
    () => zip([root, data], { entries: 60000 }),
    /too small for its 60000 records/,
  );
  refuses(
    'fewer entries than the directory has',
    () => zip([root, data], { entries: 1 }),
    /bytes after its last record/,
  );
  refuses('an encrypted record', () => zip([root, { ...data, flags: 1 }]), /encrypted/);
  for (const name of ['../../etc/passwd', '/etc/passwd', 'a/../../b', 'C:/x', 'a\\b', 'a/./b', 'a\0b', ''])
    refuses(`a record named ${JSON.stringify(name)}`, () => zip([root, { ...data, name }]), /forbidden name/);
  refuses(
    'a bomb',
    () => {
      const bomb = deflateRawSync(Buffer.alloc(50_000_000));
      return zip([
        { name: 'a/data.pkl', data: pickle(tensorOf({ storage: storage('FloatStorage', '0', 12_500_000) })) },
        { name: 'a/data/0', data: bomb, method: 8, size: 50_000_000, stored: bomb.length },
      ]);
    },
    /is compressed, which PyTorch never does/,
  );
  refuses(
    'a size that is not what is stored',
    () => zip([root, { ...data, size: 4_000_000, stored: 16 }]),
    /declares 4000000 bytes but stores 16/,
  );
});

describe('load: hostile pickles', () => {
  const call = (module: string, name: string): Buffer =>
    Buffer.concat([op.global(module, name), op.mark, op.string('touch /tmp/pwned'), op.tuple, op.reduce]);
  for (const [module, name] of [
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['__builtin__', 'exec'],
    ['builtins', 'getattr'],
    ['torch', 'load'],
    ['torch._utils', '__class__'],
    ['collections', 'OrderedDict.fromkeys'],
    ['constructor', 'constructor'],
    ['__proto__', 'toString'],
    ['numpy.core.multiarray', '_reconstruct'],
  ])
    refuses(
      `the name ${module}.${name}`,
      () => checkpoint(pickle(call(module, name))),
      new RegExp(`got ${module === '__builtin__' ? 'builtins' : module}\\.${name}, which is not in the fixed table`),
    );

  refuses(
    'a call of what is no function',
    () => checkpoint(pickle(op.string('eval'), op.emptyTuple, op.reduce)),
    /allowed function to be called, got a string/,
  );
  refuses(
    'a call of a storage class',
    () => checkpoint(pickle(op.global('torch', 'FloatStorage'), op.emptyTuple, op.reduce)),
    /got torch\.FloatStorage/,
  );
  refuses(
    'a call without a tuple',
    () => checkpoint(pickle(op.global('collections', 'OrderedDict'), op.none, op.reduce)),
    /has None as arguments/,
  );
  refuses(
    'state for a tensor',
    () => checkpoint(pickle(tensorOf(), op.emptyDict, op.build)),
    /state for an OrderedDict alone, got it for a tensor/,
  );
  refuses(
    'a function as a value',
    () => checkpoint(pickle(op.global('torch._utils', '_rebuild_tensor_v2'))),
    /expected a value/,
  );
  refuses(
    'a storage as a value',
    () => checkpoint(pickle(storage('FloatStorage', '0', 4))),
    /expected a value, got storage 0/,
  );
  refuses(
    'a forged rebuilder',
    () =>
      checkpoint(
        pickle(
          op.global('torch._tensor', '_rebuild_from_type_v2'),
          op.mark,
          op.global('collections', 'OrderedDict'),
          op.global('torch', 'Tensor'),
          op.emptyTuple,
          op.none,
          op.tuple,
          op.reduce,
        ),
      ),
    /rebuilding function/,
  );
  refuses('an unknown instruction', () => checkpoint(pickle(Buffer.from('i'))), /instruction 0x69/);
  refuses('another protocol', () => checkpoint(Buffer.from([0x80, 1, 0x4e, 0x2e])), /protocol is 1/);
  refuses('no protocol', () => checkpoint(Buffer.from('(lp0\n.')), /no protocol/);
  refuses('an end too soon', () => checkpoint(Buffer.from([0x80, 2, 0x4e])), /ends in the middle/);
  refuses('an empty stack', () => checkpoint(pickle()), /stack empty/);
  refuses('values left over', () => checkpoint(pickle(op.none, op.none)), /left over/);
  refuses('an open mark', () => checkpoint(pickle(op.mark, op.none)), /left over/);
  refuses('a missing mark', () => checkpoint(pickle(op.none, op.tuple)), /mark is missing/);
  refuses(
    'too many marks',
    () => checkpoint(pickle(...Array.from({ length: 10_001 }, () => op.mark))),
    /more than 10000 marks/,
  );
  refuses(
    'instructions without end',
    () => checkpoint(pickle(Buffer.alloc(5_000_002, '}0'))),
    /more than 5000000 instructions/,
  );
  refuses('a memo that was never set', () => checkpoint(pickle(op.get(7))), /memo 7 was never set/);
  refuses(
    'a string beyond the end',
    () => checkpoint(pickle(Buffer.from([0x58, 0xff, 0xff, 0xff, 0x7f]))),
    /ends in the middle/,
  );
  refuses(
    'a string of 64 bits beyond the end',
    () => checkpoint(pickle(Buffer.from([0x8d, 255, 255, 255, 255, 255, 255, 255, 255]))),
    /goes beyond its end/,
  );
  refuses('text that is no UTF-8', () => checkpoint(pickle(Buffer.from([0x58, 1, 0, 0, 0, 0xff]))), /UTF-8/);
  refuses('items for what is no list', () => checkpoint(pickle(op.none, op.none, op.append)), /appended to None/);
  refuses(
    'keys for what is no dict',
    () => checkpoint(pickle(op.emptyList, op.none, op.none, op.setItem)),
    /keys are set on a list/,
  );
  refuses(
    'a list as a key',
    () => checkpoint(pickle(op.emptyDict, op.emptyList, op.none, op.setItem)),
    /hashable dict key, got a list/,
  );
  refuses(
    'nesting without end',
    () => checkpoint(pickle(op.emptyTuple, ...Array.from({ length: 100_000 }, () => op.tuple1))),
    /nested at most 500/,
  );
});

describe('load: hostile tensors', () => {
  const forged = (tensor: Parameters<typeof tensorOf>[0]) => (): Buffer => checkpoint(pickle(tensorOf(tensor)));
  refuses('beyond their storage', forged({ size: [5] }), /inside storage 0 of 4 elements, got \[5\]/);
  refuses('beyond their storage by stride', forged({ size: [2], stride: [4] }), /inside storage 0/);
  refuses('beyond their storage by offset', forged({ offset: 1 }), /inside storage 0/);
  refuses('empty, beyond their storage', forged({ size: [0], offset: 5 }), /inside storage 0/);
  refuses('of negative size', forged({ size: [-1] }), /whole numbers of at least 0 in a tensor's size, got -1/);
  refuses('of negative stride', forged({ stride: [-1] }), /stride/);
  refuses('of negative offset', forged({ offset: -4 }), /offset/);
  refuses(
    'of uncountable size',
    forged({ size: [2 ** 31 - 1, 2 ** 31 - 1], stride: [0, 0] }),
    /elements can be counted/,
  );
  refuses('of a size beyond a double', forged({ size: [op.long(0, 0, 0, 0, 0, 0, 0, 0, 1)] }), /size/);
  refuses('with a boolean as size', forged({ size: [op.true] }), /size/);
  refuses('with too few strides', forged({ size: [2, 2] }), /one stride a dimension/);
  refuses(
    'of a thousand dimensions',
    forged({ size: new Array<number>(1000).fill(1), stride: new Array<number>(1000).fill(1) }),
    /at most 64 dimensions/,
  );
  refuses(
    'of integers that require grad',
    forged({ storage: storage('IntStorage', '0', 4), requiresGrad: op.true }),
    /requires_grad on floating tensors alone/,
  );
  refuses('without memory', forged({ storage: op.none }), /a storage as a tensor's memory, got None/);
  refuses(
    'of a storage that is not there',
    forged({ storage: storage('FloatStorage', '1', 4) }),
    /record for storage "1", got none/,
  );
  refuses('of a storage named by a path', forged({ storage: storage('FloatStorage', '../data.pkl', 4) }), /got none/);
  refuses(
    'of a storage declared larger',
    forged({ storage: storage('FloatStorage', '0', 1 << 28) }),
    /1073741824 bytes in storage 0, as the pickle declares, got 16/,
  );
  refuses(
    'of a storage declared smaller',
    forged({ storage: storage('FloatStorage', '0', 2) }),
    /8 bytes in storage 0/,
  );
  refuses(
    'of a negative number of elements',
    forged({ storage: storage('FloatStorage', '0', -4) }),
    /number of elements/,
  );
  refuses(
    'of a storage of no known class',
    forged({ storage: storage('EvilStorage', '0', 4) }),
    /torch\.EvilStorage, which is not in the fixed table/,
  );
  refuses(
    'of a storage under two types',
    () =>
      checkpoint(
        pickle(op.emptyList, op.mark, tensorOf(), tensorOf({ storage: storage('IntStorage', '0', 4) }), op.appends),
      ),
    /one type and size for storage 0/,
  );
  refuses(
    'of a persistent id that is no storage',
    () => checkpoint(pickle(op.string('module'), op.persistent)),
    /a storage as persistent id, got a string/,
  );
  refuses(
    'with too few arguments',
    () =>
      checkpoint(
        pickle(
          op.global('torch._utils', '_rebuild_tensor_v2'),
          op.mark,
          storage('FloatStorage', '0', 4),
          op.tuple,
          op.reduce,
        ),
      ),
    /arguments for torch\._utils\._rebuild_tensor_v2/,
  );
  refuses(
    'as parameters of integers',
    () =>
      checkpoint(
        pickle(
          op.global('torch._utils', '_rebuild_parameter'),
          tensorOf({ storage: storage('IntStorage', '0', 4) }),
          op.true,
          op.tuple2,
          op.reduce,
        ),
      ),
    /floating parameters/,
  );

  it('booleans become 0 and 1', async () => {
    const bytes = checkpoint(pickle(tensorOf({ storage: storage('BoolStorage', '0', 4) })), [
      { name: 'a/data/0', data: Uint8Array.of(0, 1, 2, 255) },
    ]);
    expect((await load<Tensor>(bytes)).toTypedArray()).to.deep.equal(Uint8Array.of(0, 1, 1, 1));
  });

  it('a checksum that is wrong is found before anything is handed over', async () => {
    const good = checkpoint(pickle(op.emptyList, op.mark, tensorOf(), op.appends));
    const bad = Buffer.from(good);
    bad[bad.indexOf(Buffer.from(fourFloats)) + 5] ^= 1;
    await expectRefusal(bad, /checksum/);
  });
});
