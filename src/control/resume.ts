import { KilldrillError } from '../errors.ts';
import type { OperatorStore, ResumeAnswer, ResumeStaging, ResumeWhich } from '../store/store.ts';

/** What is to go on, and how fast. Exactly one of `runs`, `tenant` and `allDiscarded`. */
export interface ResumeRequest {
  readonly runs?: readonly string[];
  readonly tenant?: string;
  readonly allDiscarded?: boolean;
  /** So many tasks a second. */
  readonly tasksPerSecond?: number;
  /** One tenant after another, so many milliseconds apart. Not together with `tasksPerSecond`. */
  readonly tenantsEveryMs?: number;
  readonly by: string;
  readonly reason: string;
}

/**
 * Brings back what was discarded, under a new stamp: a stop that is opened later holds again what has not run by then.
 * What an open stop covers comes back parked.
 *
 * @throws KilldrillError `RESUME_INVALID` when it names nothing, or two things; `RUN_NOT_STOPPED` naming each run that has
 * nothing to resume, and then nothing was resumed.
 */
export async function resume(store: OperatorStore, request: ResumeRequest): Promise<ResumeAnswer> {
  const { by, reason } = request;
  return store.resume(resolveWhich(request), resolveStaging(request), { by, reason });
}

function resolveWhich({ runs = [], tenant, allDiscarded = false }: ResumeRequest): ResumeWhich {
  const named = [runs.length > 0, tenant !== undefined, allDiscarded].filter(Boolean).length;
  if (named !== 1) {
    const found = named === 0 ? 'nothing' : 'more than one of them';
    throw new KilldrillError(
      'RESUME_INVALID',
      `a resume names ${found}; expected runs, or one tenant, or everything that was discarded`,
    );
  }
  if (tenant !== undefined) return { kind: 'tenant', tenant };
  return allDiscarded ? { kind: 'all' } : { kind: 'runs', runs: [...new Set(runs)] };
}

function resolveStaging({ tasksPerSecond, tenantsEveryMs }: ResumeRequest): ResumeStaging {
  if (tasksPerSecond !== undefined && tenantsEveryMs !== undefined) {
    throw new KilldrillError(
      'RESUME_INVALID',
      'a resume is staged by rate or by tenant, and both were found; drop one',
    );
  }
  if (tasksPerSecond !== undefined) return { kind: 'rate', tasksPerSecond };
  return tenantsEveryMs === undefined ? { kind: 'at-once' } : { kind: 'tenants', everyMs: tenantsEveryMs };
}
