/**
 * Mutation check: flips the sign of each derivative rule in turn, and wants the gradient check of some sample or route
 * to notice. A rule whose flipped form passes everything that walks through it survives; any survivor makes the check
 * fail. Usage: npm run mutate [-- NAME...]
 */

import type { Node } from '../lib/autograd/node.js';
import type { Observer } from '../lib/autograd/observer.js';
import { observe, unobserve } from '../lib/autograd/observer.js';
import { operators } from '../lib/dispatch/define-op.js';
import { autograd, type Tensor } from '../lib/index.js';
import '../test/samples/index.js';
import { routes } from '../test/samples/routes.js';
import { allSamples, type Case } from '../test/samples/sample.js';

type Backward = (
  context: Node,
  gradOutput: Tensor,
  gradOutputs: readonly (Tensor | null)[],
) => readonly (Tensor | null | undefined)[];

/** Remembers whose derivative was asked for. */
class Recorder implements Observer {
  readonly names = new Set<string>();
  constructor(
    private readonly nonzero: Set<string>,
    private readonly given: Set<string>,
  ) {}
  begin(): number {
    return 0;
  }
  end(): void {}
  origin(): null {
    return null;
  }
  gradients(node: Node, _: readonly (Tensor | null)[], results: readonly (Tensor | null | undefined)[]): void {
    this.names.add(node.name);
    for (const gradient of results) {
      if (gradient === null || gradient === undefined) continue;
      this.given.add(node.name);
      if (Array.from(gradient.toTypedArray() as Float64Array).some((value) => value !== 0)) this.nonzero.add(node.name);
    }
  }
}

/** What is checked: throws where a derivative is wrong. */
interface Check {
  readonly name: string;
  readonly run: () => void;
}

const checks: Check[] = [
  ...[...allSamples.values()]
    .filter((entry) => entry.notDifferentiable === undefined && !entry.random)
    .flatMap((entry) =>
      entry.cases
        .filter((sample) => sample.inputs.some((t) => t.requiresGrad))
        .map((sample) => ({ name: `${entry.fn}: ${sample.name}`, run: () => checkCase(sample) })),
    ),
  ...routes.map((route) => ({
    name: route.name,
    run: () => {
      autograd.gradcheck(route.call, route.inputs, route.options);
    },
  })),
];

function checkCase(sample: Case): void {
  autograd.gradcheck(sample.call, sample.inputs);
  autograd.gradgradcheck(sample.call, sample.inputs);
}

/** Which checks walk through each rule, and whether the rule ever gave a gradient that is not zero. */
function survey(): { byRule: Map<string, Check[]>; nonzero: Set<string>; given: Set<string> } {
  const byRule = new Map<string, Check[]>();
  const nonzero = new Set<string>();
  const given = new Set<string>();
  for (const check of checks) {
    const recorder = new Recorder(nonzero, given);
    observe(recorder);
    try {
      check.run();
    } finally {
      unobserve(recorder);
    }
    for (const rule of recorder.names) byRule.set(rule, [...(byRule.get(rule) ?? []), check]);
  }
  return { byRule, nonzero, given };
}

/** Whether some check fails while the rule's gradients are changed. */
function isCaught(name: string, list: readonly Check[], change: (gradient: Tensor) => Tensor): boolean {
  const definition = operators.get(name)?.definition as unknown as { backward: Backward };
  const original = definition.backward;
  definition.backward = (...args) =>
    original(...args).map((gradient) => (gradient === null || gradient === undefined ? null : change(gradient)));
  try {
    return list.some(({ run }) => {
      try {
        run();
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
const { byRule, nonzero, given } = survey();
const survivors: string[] = [];
const empty: string[] = [];
let caught = 0;
for (const [name, operator] of operators) {
  if (operator.definition.backward === undefined || (wanted.length > 0 && !wanted.includes(name))) continue;
  const list = byRule.get(name) ?? [];
  if (list.length > 0 && !given.has(name)) {
    // A rule that sends no gradient anywhere has nothing to change.
    empty.push(name);
    continue;
  }
  // Zeros have no sign: a rule of zeros is moved off zero instead.
  const change = nonzero.has(name) ? (gradient: Tensor) => gradient.neg() : (gradient: Tensor) => gradient.add(1);
  if (isCaught(name, list, change)) caught++;
  else survivors.push(`${name} (${list.length === 0 ? 'nothing walks through it' : `${list.length} checks`})`);
}
for (const name of survivors) console.log(`survived: ${name}`);
if (empty.length > 0) console.log(`without any gradient: ${empty.join(', ')}`);
console.log(`${caught} of ${caught + survivors.length} changed derivatives were noticed`);
process.exit(survivors.length === 0 ? 0 : 1);
