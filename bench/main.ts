/** `npm run bench`: the workloads, or with `kernels` first, single kernels against the machine's limits. */
if (process.argv[2] === 'kernels') await import('./kernels/run.js');
else await import('./run.js');
