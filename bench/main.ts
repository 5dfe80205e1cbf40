/**
 * `npm run bench`: the workloads, with `kernels` first single kernels against the machine's limits, with `operators`
 * first single calls against PyTorch's.
 */
if (process.argv[2] === 'kernels') await import('./kernels/run.js');
else if (process.argv[2] === 'operators') await import('./operators/run.js');
else await import('./run.js');
