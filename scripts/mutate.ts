/**
 * Mutation check: changes the derivative rules, one change at a time (mutations.ts), and wants the gradient check of
 * some sample or route to fail. A change that no check notices survives, and any survivor makes this program fail.
 *
 *   npm run mutate                         every change of every rule
 *   npm run mutate -- NAME...              every change of these rules
 *   npm run mutate -- --sample SEED N      N changes, chosen by the seed (a number or a commit's hash)
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Gradients, Node } from '../lib/autograd/node.js';
import { type Observer, observe, unobserve } from '../lib/autograd/observer.js';
import { operators } from '../lib/dispatch/define-op.js';
import { autograd, type Tensor } from '../lib/index.js';
import '../test/samples/index.js';
import { routes } from '../test/samples/routes.js';
import { allSamples, type Case } from '../test/samples/sample.js';
import { differs, type Mutation, mutationsOf } from './mutations.js';

type Backward = (context: Node, gradOutput: Tensor, gradOutputs: readonly (Tensor | null)[]) => Gradients;

/** Throws a GradcheckError where a derivative is wrong. */
type Check = () => void;

/** What is known of a rule before it is changed. */
interface Walked {
  /** The checks that call the rule. */
  readonly checks: Check[];
  /** For each input that got a gradient: whether it was ever not zero. */
  readonly nonzero: boolean[];
}

const checks: readonly Check[] = [
  ...[...allSamples.values()]
    .filter((entry) => entry.notDifferentiable === undefined && !entry.random)
    .flatMap((entry) => entry.cases)
    .filter((sample) => sample.inputs.some((input) => input.requiresGrad))
    .map((sample) => () => checkCase(sample)),
  ...routes.map((route) => () => {
    autograd.gradcheck(route.call, route.inputs, route.options);
  }),
];

function checkCase(sample: Case): void {
  autograd.gradcheck(sample.call, sample.inputs);
  autograd.gradgradcheck(sample.call, sample.inputs);
}

/** Notes which rules a check calls, and which of their gradients are not zero. */
class Recorder implements Observer {
  private check: Check | null = null;
  constructor(private readonly rules: Map<string, Walked>) {}
  run(check: Check): void {
    this.check = check;
    check();
  }
  begin(): void {}
  end(): void {}
  origin(): null {
    return null;
  }
  gradients(node: Node, _: readonly (Tensor | null)[], results: Gradients): void {
    const walked = this.rules.get(node.name) ?? { checks: [], nonzero: [] };
    this.rules.set(node.name, walked);
    const check = this.check as Check;
    if (walked.checks.at(-1) !== check) walked.checks.push(check);
    results.forEach((gradient, i) => {
      if (gradient === null || gradient === undefined || !node.needs(i)) return;
      const values = gradient.toTypedArray() as Float64Array;
      walked.nonzero[i] ||= values.some((value) => value !== 0);
    });
  }
}

function survey(): Map<string, Walked> {
  const rules = new Map<string, Walked>();
  const recorder = new Recorder(rules);
  observe(recorder);
  try {
    for (const check of checks) recorder.run(check);
  } finally {
    unobserve(recorder);
  }
  return rules;
}

/** Runs the checks with a changed rule until one fails. 'idle': the change never made a difference. */
function outcome(mutation: Mutation, list: readonly Check[]): 'noticed' | 'survived' | 'idle' {
  const definition = operators.get(mutation.rule)?.definition as unknown as { backward: Backward };
  const original = definition.backward;
  let changed = false;
  definition.backward = (node, ...rest) => {
    const gradients = original(node, ...rest);
    const result = mutation.change(node, gradients);
    changed ||= differs(node, gradients, result);
    return result;
  };
  try {
    for (const check of list) check();
    return changed ? 'survived' : 'idle';
  } catch (error) {
    if (error instanceof autograd.GradcheckError) return 'noticed';
    throw error;
  } finally {
    definition.backward = original;
  }
}

/** The `count` mutations whose names hash lowest with the seed. */
function sampleOf(mutations: readonly Mutation[], seed: string, count: number): Mutation[] {
  const rank = (mutation: Mutation): string => createHash('sha256').update(`${seed} ${mutation.name}`).digest('hex');
  return mutations
    .map((mutation) => ({ mutation, at: rank(mutation) }))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .slice(0, count)
    .map(({ mutation }) => mutation);
}

/** The rules that are named, or all; a name that no rule has is an error. */
function rulesNamed(names: readonly string[]): string[] {
  const all = [...operators].filter(([, { definition }]) => definition.backward !== undefined).map(([name]) => name);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Error(`mutate: expected names of operators with a derivative, got ${unknown}`);
  return names.length === 0 ? all : [...names];
}

const { values, positionals } = parseArgs({ options: { sample: { type: 'string' } }, allowPositionals: true });
const [size, ...names] = values.sample === undefined ? ['', ...positionals] : positionals;
if (values.sample !== undefined && !(Number(size) > 0))
  throw new Error(`mutate: expected --sample SEED N, got ${size ?? 'no N'}`);
const walked = survey();
const rules = rulesNamed(names);
const unwalked = rules.filter((name) => !walked.has(name));
const all = rules.flatMap((name) => mutationsOf(name, walked.get(name)?.nonzero ?? []));
const chosen = values.sample === undefined ? all : sampleOf(all, values.sample, Number(size));
const counts = { noticed: 0, survived: 0, idle: 0 };
for (const name of unwalked) console.log(`no check calls the derivative of ${name}`);
for (const mutation of chosen) {
  const result = outcome(mutation, walked.get(mutation.rule)?.checks ?? []);
  counts[result]++;
  if (result === 'survived') console.log(`survived: ${mutation.name}`);
}
const changed = new Set(chosen.map(({ rule }) => rule)).size;
console.log(
  `${counts.noticed} of ${counts.noticed + counts.survived} changes of ${changed} derivative rules were noticed; ` +
    `${counts.idle} more change nothing`,
);
process.exit(counts.survived + unwalked.length === 0 ? 0 : 1);
