/** The two checksums against known values (the check values of their definitions) and against Node's zlib. */
import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect } from 'chai';
import { crc32, crc32ByTable } from '../lib/checksum.js';
import { addon } from '../lib/native/addon.js';

describe('checksums', () => {
  const digits = Buffer.from('123456789');
  it('have the values that define them', () => {
    expect(crc32(digits)).to.equal(0xcbf43926);
    expect(crc32ByTable(digits)).to.equal(0xcbf43926);
    expect(addon.crc32c(digits, 0)).to.equal(0xe3069283);
    expect([crc32(new Uint8Array(0)), addon.crc32c(new Uint8Array(0), 0)]).to.deep.equal([0, 0]);
  });

  it('of Castagnoli are those of the definition, bit by bit, at every length and alignment, whole and in parts', () => {
    const bytes = Uint8Array.from({ length: 80 }, (_, i) => (i * 151 + 13) & 255);
    const byBits = (part: Uint8Array): number => {
      let c = 0xffffffff;
      for (const byte of part) {
        c ^= byte;
        for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
      }
      return ~c >>> 0;
    };
    for (let start = 0; start < 9; start++) {
      for (let end = start; end <= bytes.length; end++) {
        const middle = (start + end) >> 1;
        expect(addon.crc32c(bytes.subarray(start, end), 0)).to.equal(byBits(bytes.subarray(start, end)));
        expect(addon.crc32c(bytes.subarray(middle, end), addon.crc32c(bytes.subarray(start, middle), 0))).to.equal(
          byBits(bytes.subarray(start, end)),
        );
      }
    }
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
