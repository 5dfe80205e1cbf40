/**
 * PyTorch's answers at the edges of the Tensor class (test/fixtures/tensor-surface.json, written by
 * scripts/fixtures/tensor_surface.py).
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { NodegradError, Tensor } from '../../lib/index.js';

type Answer = unknown;
const fixture = JSON.parse(readFileSync(new URL('../fixtures/tensor-surface.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, Answer>
>;

/** A value as the fixture has it: tensors by dtype, shape and elements. */
export function shown(value: unknown): unknown {
  if (value instanceof Tensor)
    return { dtype: value.dtype, shape: [...value.shape], values: value.detach().flatten().tolist() };
  return Array.isArray(value) ? value.map(shown) : value;
}

/**
 * What a scenario gives, as the fixture has it: tensors by dtype, shape and elements, a typed error by the word
 * 'error'.
 */
export function answer(scenario: () => unknown): Answer {
  try {
    return shown(scenario()) ?? null;
  } catch (error) {
    if (error instanceof NodegradError) return 'error';
    throw error;
  }
}

/** PyTorch's answers of one section, by scenario. */
export function answersOf(section: string): Readonly<Record<string, Answer>> {
  return fixture[section];
}

/** One test for each scenario of a section, and one that none is missing. */
export function compareWithFixture(section: string, scenarios: Readonly<Record<string, () => unknown>>): void {
  const answers = answersOf(section);
  for (const [name, scenario] of Object.entries(scenarios)) {
    it(name, () => {
      expect(answer(scenario)).to.deep.equal(answers[name]);
    });
  }
  it('covers the fixture', () => {
    expect(Object.keys(scenarios).sort()).to.deep.equal(Object.keys(answers).sort());
  });
}
