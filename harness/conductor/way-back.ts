import type { Clock } from '../../src/clock.ts';
import { compensate } from '../../src/control/compensate.ts';
import type { CompensationCall } from '../../src/control/compensate.ts';
import { messageOf } from '../../src/errors.ts';
import type { Asker, LedgerEntry, OperatorStore } from '../../src/store/store.ts';
import type { DrillClock } from '../history/clock.ts';
import type { ActionFacts } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { CompensateEntry, ContractEntry, ResumeEntry } from '../scenario/scenario.ts';
import type { Trace, TraceRun } from '../traffic/trace.ts';
import { compensable } from './compensable.ts';

interface WayBackParts {
  readonly store: OperatorStore;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly trace: Trace;
  /** The call that takes one entry's compensation to the world. */
  readonly send: (entry: LedgerEntry, capability: string) => CompensationCall;
  /** For the deadline of a compensation; the machine's by default. */
  readonly timers?: Clock;
}

/** One thing asked for, without its number. */
type Asked = ActionFacts extends infer F ? (F extends { readonly action: number } ? Omit<F, 'action'> : never) : never;

const DEADLINE_MS = 2_000;

/**
 * What the drill's operator does besides stops and releases. Each request and its answer go into the history, refused or
 * not. Nothing is asked for twice by itself: a request without an answer may have been carried out.
 */
export class WayBack {
  readonly #parts: WayBackParts;
  readonly #runs: ReadonlyMap<string, TraceRun>;
  #actions = 0;

  constructor(parts: WayBackParts) {
    this.#parts = parts;
    this.#runs = new Map(parts.trace.runs.map((run) => [run.run, run]));
  }

  /** Declares what the agents run from now on. */
  contract({ contract }: ContractEntry): Promise<void> {
    const { store } = this.#parts;
    const { model, prompt, tools } = contract;
    return this.#act({ kind: 'contract', contract: { model, prompt, tools } }, async () => {
      await store.declareContract(contract, asker('the drill mends its agents'));
      return {};
    });
  }

  /** Brings back what was discarded. */
  resume({ which, staging }: ResumeEntry): Promise<void> {
    const { store } = this.#parts;
    return this.#act({ kind: 'resume', which: { ...which }, staging: { ...staging } }, async () => ({
      ...(await store.resume(which, staging, asker('the drill resumes'))),
    }));
  }

  /** Compensates what landed by writing in scope, the newest first; where the scenario says so, each a second time. */
  async compensate(entry: CompensateEntry, signal: AbortSignal): Promise<void> {
    const entries = await this.#entries(entry);
    for (const isAgain of entry.twice ? [false, true] : [false]) {
      for (const one of entries) {
        signal.throwIfAborted();
        await this.#compensateOne(one, entry.capability, isAgain);
      }
    }
  }

  /** All of the ledger, not only since the first stop: what is to be mended is what landed before it. */
  async #entries(entry: CompensateEntry): Promise<readonly LedgerEntry[]> {
    const { store, history } = this.#parts;
    const what = `compensations in scope of ${entry.scope}:${entry.target}`;
    try {
      const entries = compensable(await store.ledger(null), this.#runs, entry);
      if (entries.length === 0) {
        const missing = 'the ledger has no write in scope that landed and is not compensated';
        history.append({ type: 'conductor.gaveUp', what, missing });
      }
      return entries;
    } catch (error) {
      history.append({ type: 'conductor.gaveUp', what, missing: `the ledger: ${messageOf(error)}` });
      return [];
    }
  }

  #compensateOne(entry: LedgerEntry, capability: string, isAgain: boolean): Promise<void> {
    const { store, send, timers } = this.#parts;
    const { incarnation, seq: intent } = entry;
    const options = { capability, deadlineMs: DEADLINE_MS, ...(timers === undefined ? {} : { clock: timers }) };
    const by = asker(isAgain ? 'the drill asks a second time' : 'the drill undoes what landed');
    return this.#act({ kind: 'compensate', incarnation, intent, capability }, async () => {
      const { compensation, isNew, sent } = await compensate(store, entry, options, by, send(entry, capability));
      return { id: compensation.id, isNew, sent, outcome: compensation.outcome };
    });
  }

  /** Never rejects: that something was refused is what the history says, and the drill goes on. */
  async #act(what: Asked, ask: () => Promise<Readonly<Record<string, unknown>>>): Promise<void> {
    const { clock, history } = this.#parts;
    this.#actions += 1;
    const facts: ActionFacts = { action: this.#actions, ...what };
    const t0 = clock.nowNs();
    history.append({ type: 'operator.asked', ...facts }, { t0, t1: t0 });
    const answered = (ok: boolean, error: string | null, answer: Readonly<Record<string, unknown>>): void => {
      history.append({ type: 'operator.answered', ...facts, ok, error, answer }, { t0, t1: clock.nowNs() });
    };
    try {
      answered(true, null, await ask());
    } catch (error) {
      answered(false, messageOf(error), {});
    }
  }
}

function asker(reason: string): Asker {
  return { by: 'drill', reason };
}
