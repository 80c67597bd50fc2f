import { describe, expect, it } from 'vitest';
import { evaluate, filledIn, holds } from './expression.ts';

const contexts = { inputs: { profile: 'pr', args: '' }, steps: { gate: { outputs: { 'exit-code': '1' } } } };
const around = { contexts, hasFailed: false };
const failed = { contexts, hasFailed: true };

describe('the stand-in for expressions of a workflow', () => {
  it.each([
    ["steps.gate.outputs.exit-code != '0'", true],
    ["inputs.profile == 'PR'", true],
    ["inputs.profile == 'nightly' && 'one' || 'other'", 'other'],
    ["inputs.profile == 'pr' && 'it''s' || 'other'", "it's"],
    ["!(inputs.args == '') || always()", true],
    ['inputs.args || inputs.profile', 'pr'],
    ['success() && !failure()', true],
  ])('evaluates %s', (expression, value) => {
    expect(evaluate(expression, around)).toBe(value);
  });

  it.each([
    'inputs.gone',
    'steps.gate.outputs.gone',
    "contains(inputs.profile, 'p')",
    'hashFiles()',
    "inputs.profile > 'a'",
    'inputs.profile ==',
    "inputs['profile']",
    "inputs.profile 'pr'",
    'inputs',
    "(inputs.profile == 'pr'",
    "success() == 'true'",
    '',
  ])('refuses %s', (expression) => {
    expect(() => evaluate(expression, around)).toThrow();
  });

  it('fills texts in, and refuses one that is not closed', () => {
    expect(filledIn('${{ inputs.profile }}/${{inputs.args}}.', around)).toBe('pr/.');
    expect(() => filledIn('${{ inputs.profile }', around)).toThrow(/not closed/);
  });

  it('runs no step after one that failed, unless its condition asks for the status', () => {
    const condition = "${{ inputs.profile == 'pr' }}";
    expect([holds(undefined, around), holds(condition, around), holds("inputs.profile == 'x'", around)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([holds(undefined, failed), holds(condition, failed), holds('failure()', failed)]).toEqual([
      false,
      false,
      true,
    ]);
  });
});
