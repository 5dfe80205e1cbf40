/** The two checksums against known values (the check values of their definitions) and against Node's zlib. */
import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect } from 'chai';
import { crc32, crc32ByTable, crc32c } from '../lib/checksum.js';

describe('checksums', () => {
  const digits = Buffer.from('123456789');
  it('have the values that define them', () => {
    expect(crc32(digits)).to.equal(0xcbf43926);
    expect(crc32ByTable(digits)).to.equal(0xcbf43926);
    expect(crc32c(digits)).to.equal(0xe3069283);
    expect([crc32(new Uint8Array(0)), crc32c(new Uint8Array(0))]).to.deep.equal([0, 0]);
  });

  it('are the same by table as in Node, at every length, whole and in parts', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => (i * 151 + 13) & 255);
    for (let length = 0; length <= bytes.length; length++) {
      const part = bytes.subarray(0, length);
      expect(crc32ByTable(part)).to.equal(zlibCrc32(part));
      expect(crc32ByTable(bytes.subarray(length), crc32ByTable(part))).to.equal(zlibCrc32(bytes));
    }
  });
});
