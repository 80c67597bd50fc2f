import { messageOf } from '../errors.ts';
import { pause } from '../pause.ts';
import { reportTo } from '../report-to.ts';
import { canaryRound, hasLeftCanary, termOf } from './canary-round.ts';
import type { CanaryRound, RoundParts } from './canary-round.ts';

/** How a round ended: `proven` by every worker that reports; `silent` when some did not refuse; `short` when a declared pool has not all its workers; `nobody` was there to; a wider stop `covered` the switch; or it `failed`. */
export const CANARY_OUTCOMES = ['proven', 'silent', 'short', 'nobody', 'covered', 'failed'] as const;
export type CanaryOutcome = (typeof CANARY_OUTCOMES)[number];

/** The last round that this process flew. */
export interface LastRound {
  readonly outcome: CanaryOutcome;
  readonly agoMs: number;
  /** From the canary's stop to its release; 0 when none was flown. */
  readonly tookMs: number;
  readonly refused: number;
  /** Workers that report and did not refuse it in time. */
  readonly silent: readonly string[];
  /** Workers on the list that nobody has heard of for several leases. */
  readonly gone: readonly string[];
  readonly why: string | null;
}

export interface CanaryStatus {
  readonly everyMs: number;
  /** Rounds of this process since its start, by how they ended. */
  readonly rounds: Readonly<Record<CanaryOutcome, number>>;
  readonly last: LastRound | null;
}

export interface PeriodicParts extends Omit<RoundParts, 'signal'> {
  /** Between the beginnings of two rounds, whoever flies them, milliseconds. */
  readonly everyMs: number;
  /** Called after a canary's release: signs the head, so that agents that start cold have fewer releases to look at. */
  readonly vouch?: () => Promise<void>;
  /** Told of errors, for a log. */
  readonly onError?: (error: Error) => void;
}

/** Longest pause before what failed is tried again, milliseconds. */
const RETRY_MS = 10_000;
/** Shortest pause; whose turn it is changes with the store's clock, not with this one. */
const LEAST_MS = 50;
/** Longest single wait for a turn: its holder may be done earlier than it has to be. */
const TURN_MS = 5_000;

/**
 * Flies a canary every so often, taking turns with all others on the store. What a round that was cut off has left open,
 * by whomever, is released by the next; whoever begins anew looks for it at once.
 */
export class PeriodicCanary {
  readonly #parts: PeriodicParts;
  readonly #over = new AbortController();
  readonly #tell: (error: unknown) => void;
  readonly #rounds: Record<CanaryOutcome, number> = {
    proven: 0,
    silent: 0,
    short: 0,
    nobody: 0,
    covered: 0,
    failed: 0,
  };
  #last: (Omit<LastRound, 'agoMs'> & { readonly atMs: number }) | null = null;
  #loop: Promise<void> | null = null;
  /** Something may have been left open, by a life before this one or by an answer that never came. */
  #suspects = true;

  constructor(parts: PeriodicParts) {
    this.#parts = parts;
    this.#tell = reportTo(parts.onError);
  }

  status(): CanaryStatus {
    const { everyMs, clock } = this.#parts;
    if (this.#last === null) return { everyMs, rounds: { ...this.#rounds }, last: null };
    const { atMs, ...last } = this.#last;
    return { everyMs, rounds: { ...this.#rounds }, last: { ...last, agoMs: clock.monotonicMs() - atMs } };
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Ends the round that is under way, by releasing its canary. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const ms = await this.#once();
      await pause(this.#parts.clock, Math.max(LEAST_MS, ms), signal);
    }
  }

  /** Answers how long to wait. */
  async #once(): Promise<number> {
    const { everyMs } = this.#parts;
    try {
      const isLeft = this.#suspects && (await hasLeftCanary(this.#parts.flips));
      // What is open may also be flown just now: it is left there only once a turn's whole term has passed.
      const dueMs = isLeft ? Math.min(everyMs, termOf(this.#parts)) : everyMs;
      const round = await canaryRound({ ...this.#parts, signal: this.#over.signal }, dueMs);
      if (round.kind === 'early') {
        this.#suspects = isLeft;
        return round.inMs;
      }
      if (round.kind === 'taken') return Math.min(round.forMs, TURN_MS);
      this.#note(round);
      if (round.kind === 'flown' && round.result.releasedAt !== null) await this.#vouch();
      this.#suspects = round.kind === 'flown' && round.result.releaseError !== null;
      return this.#suspects ? Math.min(RETRY_MS, everyMs) : everyMs;
    } catch (error) {
      this.#suspects = true; // a stop without an answer may be open
      this.#end('failed', { why: messageOf(error) });
      this.#tell(error);
      return Math.min(RETRY_MS, everyMs);
    }
  }

  async #vouch(): Promise<void> {
    await this.#parts.vouch?.().catch((error: unknown) => this.#tell(error));
  }

  #note(round: Extract<CanaryRound, { readonly kind: 'flown' | 'covered' }>): void {
    if (round.kind === 'covered') {
      this.#end('covered', { why: `stopped already, by ${round.by.slice(0, 10).join(', ')}` });
      return;
    }
    const { result, tookMs } = round;
    const { refused, silent, gone, short, releaseError } = result;
    const found = { tookMs, refused: refused.length, silent, gone };
    if (releaseError !== null) this.#tell(new Error(`a canary's release was not taken: ${releaseError}`));
    if (silent.length > 0) {
      if (this.#over.signal.aborted) return; // cut short: they had less time than they are due
      this.#tell(new Error(`workers that have not refused the canary: ${silent.slice(0, 10).join(', ')}`));
      this.#end('silent', { ...found, why: releaseError });
    } else if (refused.length > 0 && short.length > 0) {
      this.#tell(new Error(`a canary proves nothing of workers that are not there: ${short.join(', ')}`));
      this.#end('short', { ...found, why: [...short, ...(releaseError === null ? [] : [releaseError])].join('; ') });
    } else this.#end(refused.length === 0 ? 'nobody' : 'proven', { ...found, why: releaseError });
  }

  #end(outcome: CanaryOutcome, what: Partial<Omit<LastRound, 'outcome' | 'agoMs'>>): void {
    this.#rounds[outcome] += 1;
    const nothing = { tookMs: 0, refused: 0, silent: [], gone: [], why: null };
    this.#last = { ...nothing, ...what, outcome, atMs: this.#parts.clock.monotonicMs() };
  }
}
