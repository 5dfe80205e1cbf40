/** `random`: the default generator's state, under the names of torch.random. */
export { forkRng, getRngState, initialSeed, manualSeed, seed, setRngState } from './generator.js';
