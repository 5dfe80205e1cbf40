/**
 * Every fast path against definitions in float64: on every SIMD level of the machine, with several kernels of OpenBLAS,
 * on inputs of odd sizes, at odd offsets and strided; and the same bits on one, two and three threads. Each
 * configuration is a process of its own.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { DType } from '../../lib/index.js';
import { addon } from '../../lib/native/addon.js';
import { type Case, cotangentsOf, inputValues, type Reference } from './case.js';
import { runs } from './cases.js';
import type { Index } from './results.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const LEVELS = ['scalar', 'avx2', 'avx512'];
/**
 * Kernels of OpenBLAS beside the one that it chooses or that the environment names, with the level that each needs:
 * OpenBLAS does not look before it runs one.
 */
const BLAS_KERNELS = process.arch === 'x64' ? { Haswell: 'avx2', SkylakeX: 'avx512', Prescott: 'scalar' } : {};
interface Type {
  /** The distance from a number to the next one, relative. */
  readonly eps: number;
  /** The least normal number (of float16, the least): below it digits are lost. */
  readonly least: number;
  /** From here on a number rounds to infinity. */
  readonly largest: number;
}
const TYPES: Partial<Record<DType, Type>> = {
  float64: { eps: 2 ** -52, least: 0, largest: Infinity },
  float32: { eps: 2 ** -23, least: 2 ** -126, largest: 2 ** 128 * (1 - 2 ** -25) },
  bfloat16: { eps: 2 ** -7, least: 2 ** -126, largest: 2 ** 128 * (1 - 2 ** -9) },
  float16: { eps: 2 ** -10, least: 2 ** -24, largest: 65520 },
};

interface Output extends Index {
  readonly values: Float64Array;
}

const references = new Map<Case, Map<DType, Reference>>();
function referenceOf(entry: Case, dtype: DType): Reference | null {
  if (entry.reference === null) return null;
  const known = references.get(entry) ?? new Map<DType, Reference>();
  references.set(entry, known);
  let reference = known.get(dtype);
  if (reference === undefined) {
    reference = entry.reference(inputValues(entry, dtype), cotangentsOf(entry), dtype);
    known.set(dtype, reference);
  }
  return reference;
}

/** What must come out: outputs, then the gradients of what is differentiated. */
function expectedOf(entry: Case, dtype: DType): readonly Float64Array[] | null {
  const reference = referenceOf(entry, dtype);
  if (reference === null) return null;
  const gradients =
    entry.backward === false
      ? []
      : reference.gradients.filter((_, k) => entry.inputs[k].below === undefined && !entry.inputs[k].constant);
  return [...reference.outputs, ...(gradients as Float64Array[])];
}

/**
 * The distance that is allowed of each element: rounding errors of a sum of `terms` numbers as large as the tensor's
 * largest, in the type that sums are made in, and of the result in its own type.
 */
function complaint(
  entry: Case,
  dtype: DType,
  gradient: boolean,
  got: Float64Array,
  expected: Float64Array,
): string | null {
  if (got.length !== expected.length) return `${got.length} elements, expected ${expected.length}`;
  const { eps, least, largest } = TYPES[dtype] as Type;
  const half = dtype === 'bfloat16' || dtype === 'float16';
  const { roundings = 2, exact = false } = entry;
  const terms = (gradient ? entry.gradientTerms : undefined) ?? entry.terms ?? 1;
  let scale = 0;
  for (const value of expected) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  const sums = terms > 1 ? (half ? 2 ** -23 : eps) * (2 + Math.sqrt(terms)) * scale : 0;
  // Intermediate results of 16 bits lie anywhere up to the largest.
  const own = half && terms > 1 ? (eps * scale * roundings) / 4 : 0;
  for (let i = 0; i < got.length; i++) {
    const right = Math.abs(expected[i]) > largest ? Math.sign(expected[i]) * Infinity : expected[i];
    if (Object.is(got[i], right) || got[i] === right) continue;
    const allowed = exact ? 0 : (half ? roundings / 2 : 4) * eps * Math.abs(right) + sums + own + least;
    if (!(Math.abs(got[i] - right) <= allowed)) return `element ${i} is ${got[i]}, expected ${right} within ${allowed}`;
  }
  return null;
}

describe('fast paths', function () {
  this.timeout(180_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-paths-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  let count = 0;
  /** The results of a process with these variables; without `values` only their digests. */
  async function configuration(env: Record<string, string>, values = true): Promise<Output> {
    const file = path.join(folder, `${count++}.bin`);
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', path.join(here, 'main.ts'), ...(values ? [file] : [])],
      {
        cwd: path.resolve(here, '..', '..'),
        encoding: 'utf8',
        env: { ...process.env, ...env },
        maxBuffer: 2 ** 28,
      },
    );
    if (!values) return { ...(JSON.parse(stdout) as Index), values: new Float64Array(0) };
    const bytes = readFileSync(file);
    rmSync(file);
    return {
      ...(JSON.parse(stdout) as Index),
      values: new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
    };
  }
  /** The names and complaints of all cases whose results are not right. */
  function wrong(output: Output): string[] {
    const list: string[] = [];
    for (const { key, entry, dtype } of runs) {
      const result = output.results[key];
      if (typeof result === 'string') {
        list.push(`${key}: ${result}`);
        continue;
      }
      const expected = expectedOf(entry, dtype);
      if (expected === null) continue;
      if (expected.length !== result.length) list.push(`${key}: ${result.length} tensors, expected ${expected.length}`);
      else {
        const outputs = (referenceOf(entry, dtype) as Reference).outputs.length;
        for (let k = 0; k < expected.length; k++) {
          const found = complaint(
            entry,
            dtype,
            k >= outputs,
            output.values.subarray(result[k].offset, result[k].offset + result[k].length),
            expected[k],
          );
          if (found === null) continue;
          list.push(
            `${key}: ${k < outputs ? `output ${k}` : `gradient ${k - outputs}`} [${result[k].shape}]: ${found}`,
          );
          break;
        }
      }
    }
    return list;
  }
  function expectRight(output: Output): void {
    const list = wrong(output);
    expect(
      list.length,
      `${list.length} of ${runs.length} runs are wrong, among them\n  ${list.slice(0, 30).join('\n  ')}\n`,
    ).to.equal(0);
  }

  const right = new Map<string, Output>();
  for (const level of LEVELS) {
    it(`are right with NODEGRAD_SIMD=${level}`, async function () {
      const output = await configuration({ NODEGRAD_SIMD: level });
      if (output.level !== level) {
        console.log(
          `      skipped ${runs.length} runs: the addon or the processor has no ${level} (it took ${output.level})`,
        );
        this.skip();
      }
      expectRight(output);
      right.set(level, output);
    });
  }

  it('give the same bits on every level where no rounding depends on it', () => {
    const outputs = [...right.values()];
    expect(outputs.length).to.be.at.least(1);
    const list = runs.filter(
      ({ key, entry }) =>
        (entry.reference === null || entry.exact) &&
        outputs.some((output) => output.digests[key] !== outputs[0].digests[key]),
    );
    expect(list.map(({ key }) => key)).to.deep.equal([]);
  });

  for (const [kernel, level] of Object.entries(BLAS_KERNELS)) {
    it(`are right with OpenBLAS's kernel for ${kernel}`, async function () {
      if (LEVELS.indexOf(level) > LEVELS.indexOf(addon.simdLevel)) {
        console.log(`      skipped ${runs.length} runs: the addon or the processor has no ${level}`);
        this.skip();
      }
      expectRight(await configuration({ OPENBLAS_CORETYPE: kernel }));
    });
  }

  it('give the same bits on one, two and three threads', async () => {
    const outputs: Output[] = [];
    for (const threads of [1, 2, 3])
      outputs.push(await configuration({ NODEGRAD_NUM_THREADS: String(threads) }, false));
    expect(outputs.map(({ threads }) => threads)).to.deep.equal([1, 2, 3]);
    expect(Object.keys(outputs[0].digests).length).to.equal(runs.length);
    const list = runs.filter(({ key }) => outputs.some((output) => output.digests[key] !== outputs[0].digests[key]));
    expect(list.map(({ key }) => key)).to.deep.equal([]);
  });
});
