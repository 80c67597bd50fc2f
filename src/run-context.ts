import { AsyncLocalStorage } from 'node:async_hooks';
import { KilldrillError } from './errors.ts';
import type { HaltedError } from './halted-error.ts';
import { NAME_RULE, isName, shown } from './name.ts';
import type { ClaimToken } from './store/store.ts';
import type { Subject } from './switch.ts';

/** Who runs: what the scopes of a switch are matched against. */
export interface RunIdentity {
  readonly run: string;
  readonly agent: string;
  readonly tenant?: string | null;
  readonly feature?: string | null;
  /** Ancestors, oldest first. Inside another run's context its lineage and id come first by themselves. */
  readonly lineage?: readonly string[];
  /** The claim under which this run works; null for a run that no queue knows. By default that of the run it is inside of. */
  readonly claim?: ClaimToken | null;
  /** The revision under which its task was let in; null for none. By default that of the run it is inside of. */
  readonly admittedRevision?: number | null;
  /** Its task is of a critical class, as the store said with the claim. By default that of the run it is inside of. */
  readonly critical?: boolean;
}

/** A run while it runs. */
export class RunContext {
  readonly subject: Subject;
  readonly claim: ClaimToken | null;
  /** The first refusal of kind `operator`; once set, every gate call of the run throws it. */
  latch: HaltedError | null;
  /** The refusal thrown while unverified, kept so that refusing in a loop costs no stack. */
  unverified: HaltedError | null = null;

  constructor(identity: RunIdentity, parent: RunContext | null) {
    checkIdentity(identity);
    const inherited = parent === null ? [] : [...parent.subject.lineage, parent.subject.run];
    this.subject = {
      tenant: identity.tenant ?? parent?.subject.tenant ?? null,
      feature: identity.feature ?? parent?.subject.feature ?? null,
      agent: identity.agent,
      run: identity.run,
      lineage: [...new Set([...inherited, ...(identity.lineage ?? [])])],
      capability: null,
      admittedRevision:
        identity.admittedRevision === undefined
          ? (parent?.subject.admittedRevision ?? null)
          : identity.admittedRevision,
      critical: identity.critical ?? parent?.subject.critical ?? false,
    };
    this.claim = identity.claim === undefined ? (parent?.claim ?? null) : identity.claim;
    // A run that was stopped does not go on in a run that it starts within itself.
    this.latch = parent?.latch ?? null;
  }
}

function checkIdentity({ run, agent, tenant, feature, lineage = [] }: RunIdentity): void {
  const names = { run, agent, tenant: tenant ?? 'none', feature: feature ?? 'none' };
  for (const [field, name] of [...Object.entries(names), ...lineage.map((id) => ['lineage', id] as const)]) {
    if (isName(name)) continue;
    throw new KilldrillError('RUN_INVALID', `a run's ${field} is '${shown(name)}'; expected ${NAME_RULE}`);
  }
}

const storage = new AsyncLocalStorage<RunContext>();

/** Runs `body` as the given run; everything that it awaits belongs to that run. */
export function enterRun<T>(identity: RunIdentity, body: (context: RunContext) => T): T {
  const context = new RunContext(identity, storage.getStore() ?? null);
  return storage.run(context, () => body(context));
}

/** The run that the caller belongs to; null outside of one. */
export function runNow(): RunContext | null {
  return storage.getStore() ?? null;
}

/**
 * The run that the caller belongs to.
 *
 * @throws KilldrillError `NO_RUN` outside of one: an effect that nobody can attribute cannot be governed.
 */
export function currentRun(): RunContext {
  const context = storage.getStore();
  if (context !== undefined) return context;
  throw new KilldrillError(
    'NO_RUN',
    'an effect was attempted outside of a run; wrap the work in gate.enter({ run, agent, … }, …)',
  );
}
