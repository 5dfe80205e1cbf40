/** A process whose calls are wrong on purpose, one of each kind, so that a test sees the fuzzer find them. */
import { serve } from './serve.js';

const { judgeCall, listen } = await import('./judge.js');
const { Choices } = await import('./random.js');
const { ArgumentError, noGrad, setDefaultDtype, zeros } = await import('../../lib/index.js');

function fail(message: string): never {
  throw new ArgumentError(message);
}

const target = zeros(3);
const PLANTED: readonly (() => unknown)[] = [
  () => zeros(2),
  () => fail('a typed error is right'),
  () => {
    throw new TypeError('Cannot read properties of undefined');
  },
  () => {
    void Promise.reject(new RangeError('nobody hears this'));
  },
  () => {
    const x = zeros(4);
    new Uint8Array(x.storage.buffer)[x.storage.byteOffset + x.storage.byteLength] = 0;
  },
  () => {
    noGrad(() => target.add_(1));
    fail('half done');
  },
  () => {
    setDefaultDtype('float64');
  },
  () => process.kill(process.pid, 'SIGSEGV'),
  () => {
    for (;;);
  },
];
listen();
await serve((seed, number, tell) => {
  tell(`planted ${number}`);
  return judgeCall(
    new Choices(seed, number),
    { name: `planted${number}`, text: `planted ${number}`, tensors: [target], run: PLANTED[number] },
    'guarded',
  );
});
