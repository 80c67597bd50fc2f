import { dirname, resolve } from 'node:path';
import { KilldrillError } from '../../src/errors.ts';
import { isOrdinary } from '../traffic/ordinary.ts';
import type { Trace } from '../traffic/trace.ts';
import type { Complaint } from './complaint.ts';
import { DRAWN_NAMES, namesOfTrace } from './known-names.ts';
import type { KnownNames } from './known-names.ts';
import { LIMITS } from './limits.ts';
import type { GivenTraffic, Scenario } from './scenario.ts';
import { TRAFFIC_SCHEMAS } from './traffic-schema.ts';

/** How the trace that a scenario names is read, by its path. */
export type ReadGivenTrace = (path: string) => Trace;

/** The trace that a scenario is given, and what follows from it. */
export interface Given {
  /** Null when its traffic is drawn, or the trace cannot be read. */
  readonly trace: Trace | null;
  /** The names that its traffic has, as far as they are known. */
  readonly names: KnownNames;
  readonly complaints: readonly Complaint[];
}

/**
 * Reads the trace that a scenario names, if it names one.
 *
 * @param value the scenario, not validated yet
 * @param file the scenario's own path: the trace's is relative to it
 */
export function readGiven(value: unknown, file: string, read: ReadGivenTrace): Given {
  const traffic = (value as { readonly traffic?: unknown } | null | undefined)?.traffic;
  const given = TRAFFIC_SCHEMAS.given.safeParse(traffic);
  if (!given.success) return { trace: null, names: DRAWN_NAMES, complaints: [] };
  try {
    const trace = read(resolve(dirname(file), given.data.trace));
    if (!trace.runs.some(isOrdinary)) return unreadable('a trace without any run', 'at least one');
    return { trace, names: namesOfTrace(trace, given.data.primed), complaints: [] };
  } catch (error) {
    if (!(error instanceof KilldrillError)) throw error;
    return unreadable(error.message, `a trace of at most ${LIMITS.traceEffects} effects`);
  }
}

function unreadable(found: string, expected: string): Given {
  const fix = 'its path is relative to the scenario’s file; every bundle has such a trace';
  return { trace: null, names: {}, complaints: [{ path: ['traffic', 'trace'], found, expected, fix }] };
}

/** The scenario as one that runs on this trace to the letter, which lies beside it in a file of this name. */
export function onTrace<T extends Scenario>(scenario: T, trace: Trace, file: string): T & { traffic: GivenTraffic } {
  return { ...scenario, traffic: { kind: 'given', file, primed: false, trace } };
}
