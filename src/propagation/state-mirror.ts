import { hostname } from 'node:os';
import { Rounds } from '../alerts/rounds.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { parseFlip } from '../flip-text.ts';
import type { Lease } from '../lease.ts';
import type { Registry } from '../registry.ts';
import { StateFileFeed } from './file.ts';
import { haltByFile } from './halt-by-file.ts';
import { endedIn } from './judge-state.ts';
import type { JudgeState, StateJudgement } from './judge-state.ts';
import type { StateSeal } from './state-seal.ts';
import type { EndedStop } from './state-text.ts';
import { StateWriter } from './state-writer.ts';

export interface StateMirrorParts {
  readonly path: string;
  readonly namespace: string;
  /** Has to be able to make seals. */
  readonly seal: StateSeal;
  /** Of this process; a feed keeps it fresh, and relays to the store what the file brings. */
  readonly registry: Registry;
  /** Held while the store has answered lately: only then is everything known that is open. */
  readonly lease: Pick<Lease, 'held'>;
  readonly clock: Clock;
  /** Makes names that are unique for ever. */
  readonly newToken: () => string;
  /** Signs as a stop-taker what a hand has stopped. */
  readonly sign?: ((text: string) => string) | null;
  /** The machine's name. */
  readonly host?: string;
  readonly timings?: Partial<MirrorTimings>;
  readonly onError?: (error: Error) => void;
}

/** Milliseconds. */
interface MirrorTimings {
  /** The file is written again at least so often while the store answers, for readers that want it recent. Default 1,000. */
  readonly rewriteMs: number;
  /** Changes within this time are written together. Default 10. */
  readonly togetherMs: number;
  /** Pause after a writing that failed. Default 250. */
  readonly retryMs: number;
  /** How often the folder is looked at, though the system has said nothing. Default 100. */
  readonly pollMs: number;
}

const TIMINGS: MirrorTimings = { rewriteMs: 1_000, togetherMs: 10, retryMs: 250, pollMs: 100 };

/** How far a mirror is. */
export interface MirrorStatus {
  /** Of the record, as the file has it by this process's last writing; null before the first. */
  readonly revision: number | null;
  /** Why the last writing failed; null if it did not. */
  readonly error: string | null;
}

/**
 * Keeps a state file equal to the store, for a fleet that watches the file: what is stopped anywhere is in it within
 * milliseconds.
 *
 * What a hand or `halt` puts into the file goes to the store by the registry's feed, and is ended in the file only once the
 * store has ended it: nothing else that this process knows or does not know takes a stop away. While the store is away the
 * file is not written: that would make it look recent. A stop that comes then is put beside it.
 */
export class StateMirror {
  readonly #parts: StateMirrorParts;
  readonly #timings: MirrorTimings;
  readonly #feed: StateFileFeed;
  readonly #writer: StateWriter;
  readonly #rounds: Rounds;
  #judgement: StateJudgement | null = null;
  #cancelBeat: () => void = () => undefined;
  #cancelSoon: (() => void) | null = null;
  #revision: number | null = null;
  #error: string | null = null;
  #isClosed = false;

  constructor(parts: StateMirrorParts) {
    const { path, namespace, seal, registry, clock, newToken, sign = null, host = hostname(), onError } = parts;
    this.#parts = parts;
    this.#timings = { ...TIMINGS, ...parts.timings };
    const { pollMs, retryMs } = this.#timings;
    const logged = onError === undefined ? {} : { onError };
    this.#feed = new StateFileFeed(
      { path, seal, sign, host, pollMs, judge: (genuine) => this.#watching(genuine) },
      { registry, clock, namespace, endedBy: 'store', ...logged },
    );
    this.#writer = new StateWriter({ path, namespace, seal, clock, host, newToken, sign });
    this.#rounds = new Rounds({
      ...{ clock, retryMs, round: () => this.#write() },
      onError: (error) => this.#failed(error),
    });
  }

  status(): MirrorStatus {
    return { revision: this.#revision, error: this.#error };
  }

  /** Takes up what lies in the folder, and keeps the file from then on. */
  start(): void {
    this.#feed.start();
    this.#parts.registry.onChange(() => this.#soon());
    this.#beat();
  }

  /** Waits for the writing that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#feed.close();
    this.#cancelBeat();
    this.#cancelSoon?.();
    await this.#rounds.close();
  }

  /** Sees what the feed sees: the registry has been brought all of it by the time that anything is written. */
  #watching(genuine: JudgeState): JudgeState {
    return (sighting, memory, context) => {
      this.#judgement = genuine(sighting, memory, context);
      this.#soon();
      return this.#judgement;
    };
  }

  #beat(): void {
    if (this.#isClosed) return;
    this.#rounds.poke();
    const { rewriteMs, retryMs } = this.#timings;
    // Nobody says when the store has answered again: until it has, this looks more often.
    const afterMs = this.#knowsAll() ? rewriteMs : Math.min(rewriteMs, retryMs);
    this.#cancelBeat = this.#parts.clock.after(afterMs, () => this.#beat());
  }

  #soon(): void {
    if (this.#isClosed || this.#cancelSoon !== null) return;
    this.#cancelSoon = this.#parts.clock.after(this.#timings.togetherMs, () => {
      this.#cancelSoon = null;
      // What this process wrote itself comes back as news; a writing for each would never end.
      if (this.#isNews()) this.#rounds.poke();
    });
  }

  #isNews(): boolean {
    const { registry } = this.#parts;
    const state = this.#judgement?.state ?? null;
    if (state === null || this.#judgement?.refusal !== null) return true;
    const inFile = new Set(state.stops.map(({ text }) => text));
    if (registry.openStops().some(({ text }) => !inFile.has(text)) || this.#ended().length > 0) return true;
    // Another mirror may be a little ahead or behind: two that differ in this alone must not write for ever.
    const [there, here] = [state.head, registry.head];
    return here !== null && (there?.epoch !== here.epoch || there.revision < here.revision);
  }

  /** The store has answered lately: there is nothing open that this process does not know. */
  #knowsAll(): boolean {
    const { registry, lease } = this.#parts;
    return registry.head !== null && lease.held();
  }

  async #write(): Promise<void> {
    const { registry } = this.#parts;
    const { head } = registry;
    if (!this.#knowsAll()) return this.#putBeside();
    const add = registry.openStops().map(({ text, signature }) => ({ text, signature }));
    const written = await this.#writer.write({ add, ended: this.#ended(), head }, 'mend');
    [this.#revision, this.#error] = [written.head?.revision ?? null, null];
  }

  /** Stops only: the file says nothing of how recent it is by what lies beside it. */
  async #putBeside(): Promise<void> {
    const { path, registry } = this.#parts;
    const there = new Set((this.#judgement?.stops ?? []).map(({ stop }) => stop.id));
    for (const { id, text, signature } of registry.openStops()) {
      if (there.has(id)) continue;
      const flip = parseFlip(text);
      if (flip.kind === 'stop') await haltByFile(path, flip, signature === null ? null : () => signature);
    }
  }

  /** What lies there and is over: by the store's word, which this process has heard. */
  #ended(): readonly EndedStop[] {
    const { registry, clock } = this.#parts;
    const { stops = [], state = null } = this.#judgement ?? {};
    const isEnded = endedIn(state?.ended ?? []);
    const inFile = new Set((state?.stops ?? []).map(({ text }) => text));
    const at = new Date(clock.wallMs()).toISOString();
    return stops
      .filter(({ stop, text }) => registry.hasEnded(stop.id) && (inFile.has(text) || !isEnded(stop.id)))
      .map(({ stop }) => ({ id: stop.id, by: 'the store', reason: 'it is released there', at }));
  }

  #failed(error: Error): void {
    const isNew = this.#error !== error.message;
    this.#error = messageOf(error);
    if (isNew) this.#parts.onError?.(error);
  }
}
