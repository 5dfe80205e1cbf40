/** Memory that cannot be had is a typed error before anything happens; more than 4 GiB can be had where the machine has it. */
import { totalmem } from 'node:os';
import { expect } from 'chai';
import { empty, OutOfMemoryError, zeros } from '../../lib/index.js';

describe('memory for tensors', () => {
  it('that the machine does not have is an OutOfMemoryError', () => {
    expect(() => zeros([1e12])).to.throw(OutOfMemoryError, /^allocate: expected at most the \d+ bytes of memory that the machine has, got a request for 4000000000000$/);
    expect(() => empty([Math.ceil(totalmem() / 4) + 1])).to.throw(OutOfMemoryError);
  });

  it('of more than 4 GiB is had where the machine has it', function () {
    // The pages are never touched, so that no memory is used.
    if (totalmem() < 6 * 2 ** 30) this.skip();
    expect(empty([2 ** 30 + 5]).numel()).to.equal(2 ** 30 + 5);
  });
});
