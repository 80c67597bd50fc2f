import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { simulatedFleet } from '../fleet/fleet-command.ts';
import type { Stalls } from './stalled-witness.ts';

/** A fleet with one planted bug: the harness must fail it by the property named here. */
export interface MutantSubject {
  readonly kind: 'mutant';
  readonly name: string;
  readonly bug: string;
  readonly removes: readonly string[];
  readonly property: string;
  readonly scenario: string;
  readonly grants: readonly string[];
  /** What plants it in the store; null for a bug of the fleet's own. */
  readonly sql: string | null;
}

/** A sound fleet, some of them in circumstances that make it look guilty: the harness must pass it. */
export interface ControlSubject {
  readonly kind: 'control';
  readonly name: string;
  readonly scenario: string;
  /** Its witness lags; none by default. */
  readonly stalls?: Stalls;
}

export type Subject = MutantSubject | ControlSubject;

export const CONTROLS: readonly ControlSubject[] = [
  { kind: 'control', name: 'clean', scenario: 'tenant' },
  { kind: 'control', name: 'clean-slow-downstream', scenario: 'slow-downstream' },
  { kind: 'control', name: 'clean-store-lost', scenario: 'store-lost' },
  { kind: 'control', name: 'clean-paused', scenario: 'paused' },
  { kind: 'control', name: 'clean-park', scenario: 'park' },
  { kind: 'control', name: 'clean-restart', scenario: 'restart' },
  { kind: 'control', name: 'clean-way-back', scenario: 'way-back' },
  // Two fifths of the time it sees nothing, and what arrived meanwhile it knows by an interval only.
  { kind: 'control', name: 'clean-lagging-witness', scenario: 'tenant', stalls: { everyMs: 100, forMs: 40 } },
  { kind: 'control', name: 'clean-overlapping', scenario: 'overlapping' },
  { kind: 'control', name: 'clean-two-flips', scenario: 'two-flips' },
  // Its clock jumps, and it holds calls that it may not keep.
  { kind: 'control', name: 'clean-clock-set-back', scenario: 'clock-set-back' },
  // Every answer that it gets is old.
  { kind: 'control', name: 'clean-late-answers', scenario: 'late-answers' },
  { kind: 'control', name: 'clean-everything-back', scenario: 'everything-back' },
  // Its executor dies in the middle of a storm.
  { kind: 'control', name: 'clean-executor-killed', scenario: 'executor-killed' },
  { kind: 'control', name: 'clean-poison', scenario: 'poison' },
  // Its executor never gets an answer of its own.
  { kind: 'control', name: 'clean-relay-alone', scenario: 'relay-alone' },
  // Some of its tools ignore their signals.
  { kind: 'control', name: 'clean-halt-wait', scenario: 'halt-wait' },
  // Its alerts come when all is over.
  { kind: 'control', name: 'clean-stale-alert', scenario: 'stale-alert' },
];

const LIST_MS = 30_000;
const listSchema = z.array(
  z.object({
    name: z.string(),
    bug: z.string(),
    removes: z.array(z.string()),
    property: z.string(),
    scenario: z.string(),
    grants: z.array(z.string()).default([]),
    sql: z.string().nullable().default(null),
  }),
);

/**
 * Asks the simulated fleet which mutants it can be; the harness never imports a fleet.
 *
 * @throws KilldrillError `FLEET_MISSING`
 */
export async function listMutants(): Promise<readonly MutantSubject[]> {
  const [program = '', ...args] = simulatedFleet(['--list-mutants']);
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: LIST_MS });
    return listSchema.parse(JSON.parse(stdout)).map((mutant) => ({ kind: 'mutant', ...mutant }));
  } catch (cause) {
    throw new KilldrillError('FLEET_MISSING', `the simulated fleet does not list its mutants: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/**
 * The subjects of these names, in the order of the lists; all when none is named.
 *
 * @throws KilldrillError `MUTANT_UNKNOWN`
 */
export function chooseSubjects(all: readonly Subject[], names: readonly string[]): readonly Subject[] {
  const unknown = names.find((name) => !all.some((subject) => subject.name === name));
  if (unknown === undefined) return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
  const known = all.map(({ name }) => name).join(', ');
  throw new KilldrillError('MUTANT_UNKNOWN', `there is no mutant or control '${unknown}'; known are ${known}`);
}
