import { KilldrillError } from '../errors.ts';
import { GLOBAL_TARGET, SCOPES } from '../switch.ts';
import { settleWaiting } from './memory-halts.ts';
import { onRecord } from './memory-record.ts';
import { finishSweeps } from './memory-sweep.ts';
import type { MemoryState, StoredTask } from './memory-state.ts';
import type { Asker, CriticalRules, ResumeAnswer, ResumeStaging, ResumeWhich } from './store.ts';

/** For what is let in from now on; what is in the queue already keeps its class. */
export function setCritical(state: MemoryState, rules: CriticalRules, asker: Asker): void {
  onRecord(state, 'critical', asker, rules, () => {
    const fault = faultOf(rules);
    if (fault !== null) throw new KilldrillError('CRITICAL_RULES_INVALID', `the critical rules are refused: ${fault}`);
    state.critical = rules;
  });
}

/** Brings tasks back under a new stamp: no stop of before dooms them, any stop that is open or comes later holds them. */
export function resumeTasks(
  state: MemoryState,
  which: ResumeWhich,
  staging: ResumeStaging,
  asker: Asker,
): ResumeAnswer {
  return onRecord(state, 'resume', asker, { which, staging }, () => {
    // What a stop has doomed and nobody has written down yet would stay behind otherwise.
    finishSweeps(state);
    const found = [...state.tasks.values()]
      .filter((stored) => isStopped(stored, which))
      .toSorted((one, other) => one.dueMs - other.dueMs || one.place - other.place);
    if (which.kind === 'runs') refuseMissing(which.runs, found);
    const delayOf = delays(staging, found);
    for (const stored of found) {
      stored.admittedRevision = state.head.revision;
      stored.dueMs = Math.max(stored.dueMs, state.nowMs + delayOf(stored));
      stored.state = 'queued';
      settleWaiting(state, stored);
    }
    return {
      tasks: found.length,
      runs: [...new Set(found.map(({ task }) => task.run))].toSorted(),
      lastDueInMs: Math.max(0, ...found.map((stored) => stored.dueMs - state.nowMs)),
      parked: found.filter((stored) => stored.state === 'parked').length,
    };
  });
}

function isStopped({ task, state }: StoredTask, which: ResumeWhich): boolean {
  switch (which.kind) {
    case 'runs':
      return (state === 'discarded' || state === 'unknown') && which.runs.includes(task.run);
    case 'tenant':
      return state === 'discarded' && which.tenant === task.tenant;
    case 'all':
      return state === 'discarded';
    default:
      throw new KilldrillError('RESUME_INVALID', `nothing is resumed by ${JSON.stringify(which satisfies never)}`);
  }
}

function refuseMissing(runs: readonly string[], found: readonly StoredTask[]): void {
  if (runs.length === 0) throw new KilldrillError('RESUME_INVALID', 'it names no runs; name those that are to go on');
  const missing = runs.filter((run) => !found.some(({ task }) => task.run === run));
  if (missing.length === 0) return;
  const named = missing.map((run) => `'${run}'`).join(', ');
  throw new KilldrillError(
    'RUN_NOT_STOPPED',
    `these runs have nothing to resume: ${named}; name only runs with a discarded or unknown task`,
  );
}

/** How long each of them waits, counted from now. */
function delays(staging: ResumeStaging, found: readonly StoredTask[]): (stored: StoredTask) => number {
  switch (staging.kind) {
    case 'at-once':
      return () => 0;
    case 'rate': {
      const everyMs = 1_000 / positive('tasksPerSecond', staging.tasksPerSecond);
      return (stored) => found.indexOf(stored) * everyMs;
    }
    case 'tenants': {
      const everyMs = positive('everyMs', staging.everyMs);
      const tenants = [...new Set(found.map(({ task }) => task.tenant ?? ''))].toSorted();
      return ({ task }) => tenants.indexOf(task.tenant ?? '') * everyMs;
    }
    default:
      throw new KilldrillError('RESUME_INVALID', `no staging is ${JSON.stringify(staging satisfies never)}`);
  }
}

/** @throws KilldrillError `RESUME_INVALID` */
function positive(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new KilldrillError('RESUME_INVALID', `the staging's ${name} is ${value}; expected a number above 0`);
}

function faultOf({ capabilities, classes }: CriticalRules): string | null {
  const wrong = capabilities.find((pattern) => !isPattern(pattern));
  if (wrong !== undefined) return `capability '${wrong}' is no path such as read/crm or write/*`;
  for (const { name, scope, target } of classes) {
    if (name === '' || target === '') return `class '${name}' has the target '${target}'; expected both to be named`;
    if (!SCOPES.includes(scope)) return `class '${name}' has scope '${scope}'; expected one of ${SCOPES.join(', ')}`;
    if (scope === 'global' && target !== GLOBAL_TARGET) {
      return `class '${name}' is global and has target '${target}'; expected '${GLOBAL_TARGET}'`;
    }
    if (scope === 'capability' && !isPattern(target)) {
      return `class '${name}' has target '${target}', which is no path such as read/crm or write/*`;
    }
  }
  return null;
}

/** A star anywhere but at the end of a path, after a slash, would match nothing, and nobody would notice. */
function isPattern(pattern: string): boolean {
  return /^(?!\/)[^*]+(\/\*)?$/.test(pattern);
}
