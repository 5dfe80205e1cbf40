/**
 * Measures cases in a process of its own. Usage: measure.ts SECONDS SECTION NAME... Prints a JSON object: seconds of a
 * call by name.
 */
import { medianSeconds } from '../timing.js';
import { workOf } from './cases.js';

const [budget, section, ...names] = process.argv.slice(2);

const results: Record<string, number> = {};
for (const name of names) results[name] = medianSeconds(workOf(section, name), Number(budget));
console.log(JSON.stringify(results));
