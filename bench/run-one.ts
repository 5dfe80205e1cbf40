/** One workload in a process of its own: a JSON line with the median seconds a step and the peak resident memory. */
import { manualSeed } from 'nodegrad';
import { WORKLOADS } from './workloads.js';

const SECONDS = 4;
const name = process.argv[2];
const make = WORKLOADS[name];
if (make === undefined) throw new Error(`no workload ${name}; there are ${Object.keys(WORKLOADS).join(', ')}`);
manualSeed(0);
const step = make();
for (let i = 0; i < 3; i++) step();
const times: number[] = [];
const started = performance.now();
while (times.length < 5 || (performance.now() - started < SECONDS * 1000 && times.length < 3000)) {
  const before = performance.now();
  step();
  times.push((performance.now() - before) / 1000);
}
times.sort((a, b) => a - b);
const peak = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(
  JSON.stringify({
    workload: name,
    median_s: times[times.length >> 1],
    min_s: times[0],
    steps: times.length,
    peak_rss_mb: peak,
  }),
);
