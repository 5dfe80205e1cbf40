/**
 * Memory that cannot be had is a typed error before anything happens; more than 4 GiB can be had where the machine has
 * it.
 */
import { totalmem } from 'node:os';
import { expect } from 'chai';
import { empty, OutOfMemoryError, zeros } from '../../lib/index.js';
import { memoryRoom } from '../../lib/storage/room.js';

describe('memory for tensors', () => {
  it('that the machine does not have is an OutOfMemoryError', () => {
    expect(() => zeros([1e12])).to.throw(
      OutOfMemoryError,
      /^allocate: expected at most the \d+ bytes of memory that are left, got a request for 4000000000000$/,
    );
    expect(() => empty([Math.ceil(totalmem() / 4) + 1])).to.throw(OutOfMemoryError);
  });

  it('that is left is known, and more is refused', () => {
    const room = memoryRoom();
    expect(room).to.be.at.least(0);
    expect(() => empty([Math.ceil((room + 2 ** 30) / 4)])).to.throw(OutOfMemoryError, /bytes of memory that are left/);
  });

  it('that was taken and never written is spoken for', function () {
    const bytes = 2 ** 30;
    if (memoryRoom() < 4 * bytes) this.skip();
    const before = memoryRoom();
    const held = [empty([bytes / 4 + 64]), empty([bytes / 4 + 64])];
    // Other processes may have given some back meanwhile.
    expect(before - memoryRoom()).to.be.above(bytes);
    expect(held.length).to.equal(2);
  });

  it('of more than 4 GiB is had where the machine has it', function () {
    // The pages are never touched, so that no memory is used.
    if (memoryRoom() < 5 * 2 ** 30) this.skip();
    expect(empty([2 ** 30 + 5]).numel()).to.equal(2 ** 30 + 5);
  });
});
