import { KilldrillError } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import { isRefusedAlert } from './memory-alerts.ts';
import { declareContract, redReasons } from './memory-contract.ts';
import type { AuditStore } from './audit-port.ts';
import { memoryAudit, releasesOf } from './memory-audit.ts';
import { compareHead, flipsAfter, openFlips, putFlip, readFlip, relayFlip } from './memory-flips.ts';
import { admitIntents } from './memory-intents.ts';
import { admitCompensation, closeCompensation, readLedger } from './memory-ledger.ts';
import { resumeTasks, setCritical } from './memory-operator.ts';
import { claimTasks, countTasks, enqueueTasks, extendClaims, finishTask, haltTask, retryTask } from './memory-queue.ts';
import { checkSignature, takeSignature } from './memory-signatures.ts';
import { journalKey } from './memory-state.ts';
import type { MemoryState } from './memory-state.ts';
import { sweepTasks } from './memory-sweep.ts';
import type {
  Asker,
  ClaimToken,
  CompensationTicket,
  CriticalRules,
  ClaimedTask,
  Fence,
  FenceAnswer,
  FlipAnswer,
  FlipOptions,
  FlipRecord,
  FlipSource,
  FlipStore,
  FlipsAnswer,
  Head,
  Intent,
  LedgerEntry,
  LoadAnswer,
  NewTask,
  OpenEngagement,
  OperatorStore,
  Outcome,
  OutcomeKind,
  OutcomeSink,
  QueueCount,
  RelayAnswer,
  ResumeAnswer,
  ResumeStaging,
  ResumeWhich,
  RunContract,
  StoreAnswer,
  Subscription,
  SweepAnswer,
  TaskEnd,
  TaskQueue,
  TaskState,
  WantedProof,
} from './store.ts';

type Ports = FlipSource & Fence & OutcomeSink & TaskQueue & FlipStore & OperatorStore;
export type StoreOperation = keyof Ports;

/** Where a test may interleave. Each may throw: before, the call never reached the store; after, its answer was lost. */
export interface MemoryHooks {
  readonly before?: (operation: StoreOperation) => Promise<void> | void;
  readonly after?: (operation: StoreOperation) => Promise<void> | void;
}

const DEFAULT_MINIMUM_AGE_MS = 600;

/**
 * One handle on a store that lives in this process, behind the same ports as PostgreSQL and with the same answers. Each
 * operation happens in one tick, between the two hooks. For tests: nothing in it survives the process.
 */
export class MemoryStore implements Ports {
  readonly #state: MemoryState;
  readonly #hooks: MemoryHooks;
  readonly #minimumAgeMs: number;

  /** `minimumAgeMs` is H of DESIGN §3.6; 600 ms. */
  constructor(state: MemoryState, hooks: MemoryHooks = {}, minimumAgeMs = DEFAULT_MINIMUM_AGE_MS) {
    this.#state = state;
    this.#hooks = hooks;
    this.#minimumAgeMs = minimumAgeMs;
  }

  load(proof: WantedProof = 'none'): Promise<LoadAnswer> {
    return this.#do('load', () => ({
      ...this.#answer(),
      open: openFlips(this.#state),
      critical: this.#state.critical.capabilities,
      ...(proof === 'none' ? {} : { released: releasesOf(this.#state, proof) }),
    }));
  }

  /** The record, for whoever audits it. */
  audit(): AuditStore {
    return memoryAudit(this.#state, (proof) => this.load(proof));
  }

  flipsAfter(head: Head): Promise<FlipsAnswer> {
    return this.#do('flipsAfter', () => {
      if (compareHead(this.#state, head) === 'diverged') return { ...this.#answer(), kind: 'diverged' };
      return { ...this.#answer(), kind: 'flips', flips: flipsAfter(this.#state, head.revision) };
    });
  }

  relay(text: string, signature: string | null): Promise<RelayAnswer> {
    return this.#do('relay', () => {
      const flip = readFlip(this.#state, text);
      if (flip.kind !== 'stop') {
        throw new KilldrillError(
          'RELAY_REFUSED',
          `only a stop may be relayed, and flip '${flip.id}' is of kind '${flip.kind}'`,
        );
      }
      checkSignature(signature);
      if (isRefusedAlert(this.#state, flip.id)) return { ...this.#answer(), kind: 'closed', revision: 0 };
      return { ...this.#answer(), ...relayFlip(this.#state, text, signature) };
    });
  }

  listen(onFlip: (record: FlipRecord | null) => void, lost: (error: Error) => void): Promise<Subscription> {
    return this.#do('listen', () => {
      const listener = { onFlip, lost };
      this.#state.listeners.add(listener);
      return {
        close: async () => {
          this.#state.listeners.delete(listener);
        },
      };
    });
  }

  admitIntents(incarnation: string, head: Head, intents: readonly Intent[]): Promise<FenceAnswer> {
    return this.#do('admitIntents', () => this.#fenced(head, () => admitIntents(this.#state, incarnation, intents)));
  }

  enqueue(head: Head, tasks: readonly NewTask[]): Promise<FenceAnswer> {
    return this.#do('enqueue', () =>
      this.#fenced(head, () => {
        enqueueTasks(this.#state, tasks);
        return [];
      }),
    );
  }

  record(incarnation: string, outcomes: readonly Outcome[]): Promise<void> {
    return this.#do('record', () => {
      for (const outcome of outcomes) {
        const key = journalKey(incarnation, outcome.seq);
        if (!this.#state.outcomes.has(key)) this.#state.outcomes.set(key, { incarnation, outcome });
      }
    });
  }

  claim(_incarnation: string, limit: number, claimMs: number): Promise<readonly ClaimedTask[]> {
    return this.#do('claim', () => claimTasks(this.#state, limit, claimMs));
  }

  extend(claims: readonly ClaimToken[], claimMs: number): Promise<readonly string[]> {
    return this.#do('extend', () => extendClaims(this.#state, claims, claimMs));
  }

  finish(claim: ClaimToken, end: TaskEnd, againAt?: string): Promise<boolean> {
    return this.#do('finish', () => finishTask(this.#state, claim, end, againAt));
  }

  halted(claim: ClaimToken, engagement: string | null): Promise<TaskState | null> {
    return this.#do('halted', () => haltTask(this.#state, claim, engagement));
  }

  retry(claim: ClaimToken, delayMs: number): Promise<TaskState | null> {
    return this.#do('retry', () => retryTask(this.#state, claim, delayMs));
  }

  giveBack(claim: ClaimToken): Promise<boolean> {
    return this.#do('giveBack', () => haltTask(this.#state, claim, null) !== null);
  }

  sweep(limit: number): Promise<SweepAnswer> {
    return this.#do('sweep', () => sweepTasks(this.#state, limit));
  }

  counts(): Promise<readonly QueueCount[]> {
    return this.#do('counts', () => countTasks(this.#state));
  }

  flip(text: string, signature: string | null, options?: FlipOptions): Promise<FlipAnswer> {
    return this.#do('flip', () => {
      checkSignature(signature);
      const { record } = takeSignature(this.#state, putFlip(this.#state, text, signature, options), signature);
      return { ...this.#answer(), record };
    });
  }

  openEngagements(): Promise<readonly OpenEngagement[]> {
    return this.#do('openEngagements', () =>
      openFlips(this.#state).map(({ revision, text }) => ({ revision, flip: parseFlip(text) })),
    );
  }

  setCritical(rules: CriticalRules, asker: Asker): Promise<void> {
    return this.#do('setCritical', () => setCritical(this.#state, rules, asker));
  }

  declareContract(contract: RunContract, asker: Asker): Promise<void> {
    return this.#do('declareContract', () => declareContract(this.#state, contract, asker));
  }

  redReasons(engagements: readonly string[]): ReturnType<OperatorStore['redReasons']> {
    return this.#do('redReasons', () => redReasons(this.#state, engagements));
  }

  resume(which: ResumeWhich, staging: ResumeStaging, asker: Asker): Promise<ResumeAnswer> {
    return this.#do('resume', () => resumeTasks(this.#state, which, staging, asker));
  }

  ledger(afterRevision: number | null): Promise<readonly LedgerEntry[]> {
    return this.#do('ledger', () => readLedger(this.#state, afterRevision));
  }

  admitCompensation(
    entry: { readonly incarnation: string; readonly seq: number },
    capability: string,
    asker: Asker,
  ): Promise<CompensationTicket> {
    return this.#do('admitCompensation', () => admitCompensation(this.#state, entry, capability, asker));
  }

  closeCompensation(id: string, outcome: OutcomeKind, detail: string | null): Promise<void> {
    return this.#do('closeCompensation', () => closeCompensation(this.#state, id, outcome, detail));
  }

  async #do<T>(operation: StoreOperation, work: () => T): Promise<T> {
    await this.#hooks.before?.(operation);
    const answer = work();
    await this.#hooks.after?.(operation);
    return answer;
  }

  #answer(): StoreAnswer {
    return { head: this.#state.head, ageMs: this.#state.ageMs };
  }

  #fenced(head: Head, insert: () => readonly number[]): FenceAnswer {
    const answer = this.#answer();
    if (answer.ageMs < this.#minimumAgeMs) return { ...answer, kind: 'young' };
    const how = compareHead(this.#state, head);
    if (how === 'diverged') return { ...answer, kind: 'diverged' };
    if (how === 'prefix') return { ...answer, kind: 'stale', flips: flipsAfter(this.#state, head.revision) };
    return { ...answer, kind: 'admitted', disowned: insert() };
  }
}
