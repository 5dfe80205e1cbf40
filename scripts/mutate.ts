/**
 * Mutation check: flips the sign of each derivative rule in turn, and wants the gradient checks of some sample to notice. A rule whose
 * flipped form passes every sample that uses it survives; any survivor makes the check fail.
 * Usage: npm run mutate [-- NAME...]
 */
import { autograd, type Tensor } from '../lib/index.js';
import type { Node } from '../lib/autograd/node.js';
import { operators } from '../lib/ops/define-op.js';
import { type Observer, observer } from '../lib/ops/dispatch-state.js';
import '../test/samples/index.js';
import { allSamples, type Case } from '../test/samples/sample.js';

type Backward = (context: Node, gradOutput: Tensor, gradOutputs: readonly (Tensor | null)[]) => readonly (Tensor | null | undefined)[];

/** Remembers whose derivative was asked for. */
class Recorder implements Observer {
  readonly names = new Set<string>();
  begin(): number {
    return 0;
  }
  end(): void {}
  origin(): null {
    return null;
  }
  gradients(node: Node): void {
    this.names.add(node.name);
  }
}

/** Both checks of one case; throws where one fails. */
function check(sample: Case): void {
  autograd.gradcheck(sample.call, sample.inputs);
  autograd.gradgradcheck(sample.call, sample.inputs);
}

/** The cases by the rules that they walk through. */
function casesByRule(): Map<string, { name: string; sample: Case }[]> {
  const byRule = new Map<string, { name: string; sample: Case }[]>();
  for (const entry of allSamples.values()) {
    if (entry.notDifferentiable !== undefined || entry.random) continue;
    for (const sample of entry.cases) {
      if (!sample.inputs.some((t) => t.requiresGrad)) continue;
      const recorder = new Recorder();
      observer.active = recorder;
      try {
        check(sample);
      } finally {
        observer.active = null;
      }
      for (const rule of recorder.names) byRule.set(rule, [...(byRule.get(rule) ?? []), { name: `${entry.fn}: ${sample.name}`, sample }]);
    }
  }
  return byRule;
}

/** Whether some case fails while the rule's gradients are negated. */
function isCaught(name: string, cases: readonly { sample: Case }[]): boolean {
  const definition = operators.get(name)?.definition as unknown as { backward: Backward };
  const original = definition.backward;
  definition.backward = (...args) => original(...args).map((gradient) => gradient?.neg() ?? null);
  try {
    return cases.some(({ sample }) => {
      try {
        check(sample);
        return false;
      } catch (error) {
        if (error instanceof autograd.GradcheckError) return true;
        throw error;
      }
    });
  } finally {
    definition.backward = original;
  }
}

const wanted = process.argv.slice(2);
const byRule = casesByRule();
const survivors: string[] = [];
let caught = 0;
for (const [name, operator] of operators) {
  if (operator.definition.backward === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
  const cases = byRule.get(name) ?? [];
  if (isCaught(name, cases)) caught++;
  else survivors.push(`${name} (${cases.length === 0 ? 'no sample walks through it' : `${cases.length} cases`})`);
}
for (const name of survivors) console.log(`survived: ${name}`);
console.log(`${caught} of ${caught + survivors.length} flipped derivatives were noticed`);
process.exit(survivors.length === 0 ? 0 : 1);
