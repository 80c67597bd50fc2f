import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { VERDICTS } from '../checkers/checker.ts';
import type { Scenario } from '../scenario/scenario.ts';

export const REGRESSION_FILE = 'regression.json';
export const REGRESSION_VERSION = 1;
/** What somebody does about a kept run that is not as it was kept. */
export const MEND_KEPT = 'promote the run again, or take an untouched copy';

/** How a kept regression may be called: as a scenario is. */
export const REGRESSION_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

const whole = z.number().int().min(0);
const ms = z.number().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const verdicts = z.record(z.string(), z.enum(VERDICTS));
const keptSchema = z.strictObject({
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']),
  /** Of each property that was judged. */
  properties: verdicts,
  /** Of each expectation. */
  expectations: verdicts,
});
const budgetsSchema = z.strictObject({
  connectedMs: ms,
  cutMs: ms,
  alertToStopMs: ms.nullable(),
  firstBadCallToStopMs: ms.nullable(),
  effectsAfterBudget: whole,
  properties: z.union([z.literal('all'), z.array(z.string())]),
});

/** `regression.json`: what a kept run is held to, and where it comes from. Additions keep the version. */
const regressionSchema = z.object({
  version: z.literal(REGRESSION_VERSION),
  name: z.string().regex(REGRESSION_NAME),
  from: z.object({
    /** The bundle's folder, without what leads to it. */
    bundle: z.string(),
    scenario: z.string(),
    seed: whole,
    environment: z.string(),
    /** How long the run took; those that were kept before it was noted have none. */
    tookMs: ms.optional(),
  }),
  kept: keptSchema,
  budgets: budgetsSchema,
  /** What the alerts of the run went over; null for a run without alerts. */
  alertBus: z.enum(['kafka', 'postgresql']).nullable(),
  /** Those that were kept before it was noted have none, and are held to their budgets and their traffic alone. */
  scenario: z.object({ sha256 }).optional(),
  trace: z.object({
    sha256,
    bytes: whole,
    runs: whole,
    effects: whole,
    /** Of how many runs: those that were due after the run had ended were dropped. */
    ofRuns: whole,
  }),
  /** What stands in place of names and texts, and how many of each there were. */
  redacted: z.array(z.object({ what: z.string(), count: whole })),
});

/** The verdict that a run had, and that of each property and expectation. */
export type KeptVerdicts = z.infer<typeof keptSchema>;
/** What a scenario allows: a gate never compares with another allowance. */
export type Budgets = z.infer<typeof budgetsSchema>;
export type Regression = z.infer<typeof regressionSchema>;
export type AlertBus = NonNullable<Regression['alertBus']>;

/** What this scenario allows. */
export function budgetsOf({ expect }: Scenario): Budgets {
  const { timeToStop, alertToStopMs, firstBadCallToStopMs, effectsAfterBudget, properties } = expect;
  return {
    ...timeToStop,
    alertToStopMs,
    firstBadCallToStopMs,
    effectsAfterBudget,
    properties: properties === 'all' ? 'all' : [...properties],
  };
}

/**
 * Reads the `regression.json` of a kept run.
 *
 * @throws KilldrillError `REGRESSION_UNREADABLE` naming what is wrong with it
 */
export async function readRegression(folder: string): Promise<Regression> {
  const file = join(folder, REGRESSION_FILE);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw unreadable(file, messageOf(cause), cause);
  }
  const version = (json as { readonly version?: unknown } | null)?.version;
  if (version !== REGRESSION_VERSION)
    throw unreadable(file, `its version is ${String(version)}, this killdrill reads version ${REGRESSION_VERSION}`);
  const read = regressionSchema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw unreadable(file, `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'wrong'}`);
}

/**
 * What of a verdict a later one is compared with.
 *
 * @param verdict what `verdict.json` holds, of any version
 * @throws KilldrillError `REGRESSION_UNREADABLE` when it is no verdict
 */
export function keptVerdicts(verdict: unknown, file: string): KeptVerdicts {
  const finding = z.object({ name: z.string(), verdict: z.enum(VERDICTS) });
  const schema = z.object({
    verdict: keptSchema.shape.verdict,
    properties: z.array(finding),
    expectations: z.array(finding),
  });
  const read = schema.safeParse(verdict);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw unreadable(file, `${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'it is no verdict'}`);
  }
  const byName = (findings: readonly z.infer<typeof finding>[]) =>
    Object.fromEntries(findings.map((one) => [one.name, one.verdict]));
  const { properties, expectations } = read.data;
  return { verdict: read.data.verdict, properties: byName(properties), expectations: byName(expectations) };
}

/** The sha256 of these bytes, hex. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The same wherever git wrote the file: it may turn the ends of lines of a text into those of the machine. */
export function sha256OfText(text: string): string {
  return sha256Of(Buffer.from(text.replaceAll('\r\n', '\n')));
}

function unreadable(file: string, what: string, cause?: unknown): KilldrillError {
  return new KilldrillError('REGRESSION_UNREADABLE', `${file} cannot be read: ${what}; ${MEND_KEPT}`, { cause });
}
