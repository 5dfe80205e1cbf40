/** docs/compatibility.md says what is true. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { compatibility } from '../../scripts/compatibility.js';

describe('docs/compatibility.md', () => {
  it('is what npm run compatibility writes', () => {
    expect(readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8')).to.equal(compatibility());
  });
});
