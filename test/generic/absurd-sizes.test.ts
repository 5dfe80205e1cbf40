/** Sizes and counts beyond any machine: a typed error or a result at once, and no memory taken on the way. */
import { checks } from './absurd-sizes-checks.js';
import { describeChecks } from './checks.js';

describeChecks('sizes beyond any machine of', 'absurd-sizes-checks.ts', checks, 10_000);
