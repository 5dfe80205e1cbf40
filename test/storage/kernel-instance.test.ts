/** A kernel without an instance for a dtype: a DTypeError that names the operator, never a call that does nothing. */
import { expect } from 'chai';
import { DTypeError } from '../../lib/index.js';
import { kernels } from '../../lib/native/kernels.js';
import { BOOL, FLOAT32 } from '../../lib/storage/dtype.js';
import { instanceOf } from '../../lib/storage/kernel-instance.js';

describe('the instance of a kernel', () => {
  it('is the one of the dtype', () => {
    expect(instanceOf('Adam', kernels.adam, FLOAT32)).to.equal(kernels.adam[FLOAT32.code]);
  });
  it('is a DTypeError where there is none', () => {
    expect(kernels.adam[BOOL.code]).to.equal(undefined);
    expect(() => instanceOf('Adam', kernels.adam, BOOL)).to.throw(
      DTypeError,
      'Adam: expected a dtype that it is implemented for, got bool',
    );
  });
});
