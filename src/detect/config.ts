import { z } from 'zod';
import { KilldrillError } from '../errors.ts';
import { isName } from '../name.ts';
import { SCOPES, STOP_MODES } from '../switch.ts';
import type { DetectorConfig, DetectorRule } from './rule.ts';

/** A leaf says what it expects, with an example; what was found is read from the input. */
function number(min: number, max: number, unit: string, example: number) {
  const expected = `expected a number of ${unit} from ${min} to ${max}, for example ${example}`;
  return z.number(expected).min(min, expected).max(max, expected);
}

function count(min: number, max: number, of: string, example: number) {
  const expected = `expected a whole number of ${of} from ${min} to ${max}, for example ${example}`;
  return z.number(expected).int(expected).min(min, expected).max(max, expected);
}

function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, `expected one of ${words.join(', ')}`);
}

function name(example: string) {
  const expected = `expected a name of one line, for example ${example}`;
  return z
    .string(expected)
    .regex(/^[^\r\n]+$/u, expected)
    .refine(isName, expected);
}

const NO_TRUTH = 'expected true or false';
const MAX_WINDOW_MS = 86_400_000;
const MAX_AMOUNT = 1e12;
const pattern = z
  .string('expected a capability')
  .regex(/^[^\s/*]+(\/[^\s/*]+)*(\/\*)?$/, 'expected a capability such as write/mail, or write/* for all below');

const base = {
  name: name('writes-per-tenant').optional(),
  mode: oneOf(STOP_MODES).default('halt_all'),
  windowMs: count(100, MAX_WINDOW_MS, 'milliseconds', 1_000),
};

const writeRate = z.strictObject({
  kind: z.literal('write-rate'),
  ...base,
  per: oneOf(['tenant', 'capability', 'agent', 'run', 'feature']),
  capabilities: z
    .array(pattern, 'expected a list of capabilities')
    .max(100, 'expected at most 100 capabilities')
    .default([]),
  eachCapability: z.boolean(NO_TRUTH).default(false),
  perSecond: number(0.001, MAX_AMOUNT, 'writes a second', 50),
});
const guardrail = z.strictObject({
  kind: z.literal('guardrail'),
  ...base,
  per: oneOf(['global', 'tenant', 'feature', 'agent', 'run']),
  metric: name('toxicity'),
  judge: oneOf(['mean', 'worst']).default('mean'),
  minReadings: count(1, 1e9, 'readings', 20).default(1),
  redFrom: number(-MAX_AMOUNT, MAX_AMOUNT, 'the metric', 0.8).optional(),
  redTo: number(-MAX_AMOUNT, MAX_AMOUNT, 'the metric', 0.2).optional(),
});
const cost = z.strictObject({
  kind: z.literal('cost'),
  ...base,
  per: oneOf(['run', 'tenant', 'agent', 'feature', 'global']),
  amount: number(0.000_001, MAX_AMOUNT, 'whatever costs are given in', 5),
});
const loop = z.strictObject({
  kind: z.literal('loop'),
  ...base,
  per: oneOf(['run', 'agent', 'tenant']),
  times: count(2, 1e9, 'calls', 10),
});

const KINDS = 'expected a rule whose kind is one of write-rate, guardrail, cost, loop';
const schema = z.strictObject(
  {
    detector: name('fleet-detector'),
    widestScope: oneOf(SCOPES).default('tenant'),
    repeatMs: count(100, 3_600_000, 'milliseconds', 1_000).default(1_000),
    maxSeries: count(1, 1_000_000, 'series', 10_000).default(10_000),
    rules: z
      .array(z.discriminatedUnion('kind', [writeRate, guardrail, cost, loop], KINDS), 'expected a list of rules')
      .min(1, 'expected at least one rule: without one nothing is detected')
      .max(100, 'expected at most 100 rules'),
  },
  'expected a map of detector and rules',
);

type ReadRule = z.output<typeof schema>['rules'][number];
type Path = readonly (string | number)[];

interface Complaint {
  readonly path: Path;
  readonly says: string;
}

/**
 * Reads detectors' configuration; `from` names where it came from (a file, a variable), for the errors.
 *
 * @throws KilldrillError `DETECTORS_INVALID` naming each place, what was found there and what was expected.
 */
export function readDetectors(given: unknown, from: string): DetectorConfig {
  const read = schema.safeParse(given, { reportInput: true });
  if (!read.success)
    throw invalid(
      from,
      read.error.issues.flatMap((issue) => complaintsOf(issue, given)),
    );
  const { rules, ...config } = read.data;
  const complaints = rules.flatMap((rule, at) => meaning(rule, at, config.widestScope, rules));
  if (complaints.length > 0) throw invalid(from, complaints);
  return { ...config, rules: rules.map(resolveRule) };
}

function resolveRule(rule: ReadRule): DetectorRule {
  const named = { ...rule, name: nameOf(rule) };
  if (named.kind !== 'guardrail') return named;
  const { redFrom, redTo, ...rest } = named;
  const bound =
    redFrom === undefined
      ? ({ kind: 'at-most', value: redTo ?? 0 } as const)
      : ({ kind: 'at-least', value: redFrom } as const);
  return { ...rest, bound };
}

function nameOf(rule: ReadRule): string {
  return rule.name ?? (rule.kind === 'guardrail' ? rule.metric : `${rule.kind}-per-${rule.per}`);
}

/** What is wrong beyond the shape of the values. */
function meaning(
  rule: ReadRule,
  at: number,
  widest: DetectorConfig['widestScope'],
  rules: readonly ReadRule[],
): readonly Complaint[] {
  const complaints: Complaint[] = [];
  const twin = rules.findIndex((other) => nameOf(other) === nameOf(rule));
  if (twin < at) {
    const says = `is the second rule named '${nameOf(rule)}', after rules[${twin}]; give it a name of its own, since alerts are told apart by it`;
    complaints.push({ path: ['rules', at, 'name'], says });
  }
  if (SCOPES.indexOf(rule.per) < SCOPES.indexOf(widest)) {
    const says = `is '${rule.per}'; expected no wider scope than widestScope, which is '${widest}': narrow the rule, or widen widestScope on purpose`;
    complaints.push({ path: ['rules', at, 'per'], says });
  }
  if (rule.kind === 'guardrail' && (rule.redFrom === undefined) === (rule.redTo === undefined)) {
    const found = rule.redFrom === undefined ? 'has neither redFrom nor redTo' : 'has both redFrom and redTo';
    const says = `${found}; expected one of them: redFrom for readings that are too high, redTo for ones that are too low`;
    complaints.push({ path: ['rules', at], says });
  }
  return complaints;
}

function complaintsOf(issue: z.core.$ZodIssue, given: unknown): readonly Complaint[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      says: 'is no key that is known there; remove it, or mend its spelling',
    }));
  }
  return [{ path, says: `${foundAt(given, path)}; ${issue.message}` }];
}

function foundAt(given: unknown, path: Path): string {
  let value = given;
  for (const step of path) value = isRecord(value) ? value[String(step)] : undefined;
  if (value === undefined) return 'is missing';
  const text = typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
  return `is ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function invalid(from: string, complaints: readonly Complaint[]): KilldrillError {
  const lines = complaints.slice(0, 20).map(({ path, says }) => `${pathText(path)} ${says}`);
  const more = complaints.length > 20 ? [`and ${complaints.length - 20} more`] : [];
  return new KilldrillError('DETECTORS_INVALID', `${from} configures no detectors: ${[...lines, ...more].join('. ')}`);
}

function pathText(path: Path): string {
  if (path.length === 0) return 'it';
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}
