/**
 * Checks that every public function takes inputs of size 0 in every place: a typed error, or the same result and
 * gradients, in every layout. The inputs are those of the samples, with one size 0 in one of them, in all that have
 * that size, or with all sizes 0.
 */
import { autograd, NodegradError, ones, type Tensor } from '../../lib/index.js';
import '../samples/index.js';
import { allSamples, type Case, type Samples } from '../samples/sample.js';
import type { Check } from './checks.js';
import { numbers, outputsOf } from './compare.js';
import { LAYOUTS } from './layouts.js';

type Shapes = readonly (readonly number[])[];

/** Shapes of a case's inputs with sizes of 0, each once. */
function emptied(shapes: Shapes): Shapes[] {
  const sizes = new Set(shapes.flat());
  const variants: Shapes[] = [...sizes].map((size) => shapes.map((shape) => shape.map((n) => (n === size ? 0 : n))));
  for (const [i, shape] of shapes.entries()) {
    for (const d of shape.keys())
      variants.push(shapes.map((s, j) => (i === j ? s.map((n, k) => (k === d ? 0 : n)) : s)));
  }
  variants.push(shapes.map((shape) => shape.map(() => 0)));
  const own = JSON.stringify(shapes);
  return [...new Map(variants.map((variant) => [JSON.stringify(variant), variant])).entries()]
    .filter(([text]) => text !== own)
    .map(([, variant]) => variant);
}

/** Gradients, and gradients of those, so that second derivatives meet sizes of 0 too. */
function gradientsOf(outputs: readonly Tensor[], inputs: readonly Tensor[], createGraph: boolean): (Tensor | null)[] {
  const live = outputs.filter((t) => t.requiresGrad);
  if (live.length === 0 || inputs.length === 0) return [];
  return autograd.grad(live, inputs, {
    gradOutputs: live.map((t) => ones(t.shape, { dtype: t.dtype })),
    allowUnused: true,
    createGraph,
  }) as (Tensor | null)[];
}

const shown = (t: Tensor | null, random: boolean): string =>
  t === null ? 'none' : `[${t.shape}] ${random ? '' : numbers(t)}`;

/** What a call gives, as text: results, gradients and second gradients, or that it is refused. */
function outcome(entry: Samples, sample: Case, inputs: readonly Tensor[]): string {
  const random = entry.random === true;
  try {
    const outputs = outputsOf(sample.call(...inputs));
    const parts = outputs.map((t) => shown(t, random));
    if (entry.notDifferentiable === undefined && !random) {
      const wanted = inputs.filter((t) => t.requiresGrad);
      const first = gradientsOf(outputs, wanted, true);
      first.forEach((g, i) => {
        if (g !== null && String(g.shape) !== String(wanted[i].shape))
          throw new Error(`gradient ${i} has shape [${g.shape}], its input [${wanted[i].shape}]`);
      });
      const second = gradientsOf(
        first.filter((g) => g !== null),
        wanted,
        false,
      );
      parts.push(...[...first, ...second].map((t) => shown(t, false)));
    }
    return parts.join(' ');
  } catch (error) {
    if (error instanceof NodegradError) return 'refused';
    throw error;
  }
}

function checkCase(entry: Samples, sample: Case, at: (step: string) => void): void {
  const shapes = sample.inputs.map((t) => t.shape);
  for (const variant of emptied(shapes)) {
    const inputs = sample.inputs.map((t, i) =>
      (String(variant[i]) === String(t.shape)
        ? t.detach()
        : ones(variant[i], { dtype: t.dtype }).mul(0.5)
      ).requiresGrad_(t.requiresGrad),
    );
    let plain: string | undefined;
    for (const [layout, place] of Object.entries(LAYOUTS)) {
      const step = `${sample.name}, ${JSON.stringify(variant)}, ${layout}`;
      at(step);
      let found: string;
      try {
        found = outcome(entry, sample, inputs.map(place));
      } catch (error) {
        throw new Error(`${step}: ${(error as Error).stack}`);
      }
      plain ??= found;
      if (found !== plain) throw new Error(`${step}: ${found}, in contiguous memory ${plain}`);
    }
  }
}

export const checks: readonly Check[] = [...allSamples.values()]
  .filter(({ cases }) => cases.some(({ inputs }) => inputs.some((t) => t.dim() > 0)))
  .map((entry) => ({
    name: entry.fn,
    run: (at) => {
      for (const sample of entry.cases) checkCase(entry, sample, at);
    },
  }));
