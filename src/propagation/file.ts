import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { hostname } from 'node:os';
import type { Clock } from '../clock.ts';
import { Lease } from '../lease.ts';
import type { Asked } from '../lease.ts';
import type { Registry } from '../registry.ts';
import { haltByFileNow } from './halt-by-file.ts';
import { NO_MEMORY, endedIn, judgeState } from './judge-state.ts';
import type { FileStop, JudgeState, StateJudgement, StateMemory, StateRefusal } from './judge-state.ts';
import { HALT_NAME, StateFolder, haltPrefix, placeOf } from './state-folder.ts';
import type { Sighting } from './state-folder.ts';
import type { StateSeal } from './state-seal.ts';
import { reportTo } from '../report-to.ts';

export interface StateFileOptions {
  readonly path: string;
  readonly seal: StateSeal;
  /** Longest time between two looks, milliseconds; the system's notifications come sooner. Default 100. */
  readonly pollMs?: number;
  /**
   * A file that is not written again within this, milliseconds, is not trusted: its writer may be cut off from those who
   * stop. Null, the default, for a file whose writers write only when there is something to write.
   */
  readonly maxAgeMs?: number | null;
  /** Signs as a stop-taker, in a process that holds that right: a hand's stop is then offered to the store as signed. */
  readonly sign?: ((text: string) => string) | null;
  /** Whether the store is offered stops that nobody has signed. Default true. */
  readonly offersUnsigned?: boolean;
  /** Whether a hand's stop is written beside the file, so that it stays when the hand takes its own file away. Default false. */
  readonly keepsHandStops?: boolean;
  /** The machine's name. */
  readonly host?: string;
  /** Wraps the judgement of a look, for those who must see or (in a drill) bend it. */
  readonly judge?: (genuine: JudgeState) => JudgeState;
}

interface StateFileParts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly namespace: string;
  /** Whose word ends a stop: that of the store, which the registry follows too, or that of the file. */
  readonly endedBy: 'store' | 'file';
  readonly onError?: (error: Error) => void;
}

export const POLL_MS = 100;
/** A process that has not managed to look for so long, milliseconds, does not know whether somebody said stop. */
const LOOK_LEASE_MS = 1_200;
/** The word of the file that a stop is over. */
const CLOSED = { kind: 'closed', revision: 0, head: { epoch: '', revision: 0, hash: '' }, ageMs: 0 } as const;

/**
 * Brings what a state file says to a registry: stops at once, by the system's notification or the next poll. Beside a store,
 * whose feed then relays those stops, or alone.
 *
 * Torn, missing, replayed, lowered by hand, of another namespace or too old: not `verified`, and then everything is refused.
 */
export class StateFileFeed {
  readonly #options: StateFileOptions;
  readonly #parts: StateFileParts;
  readonly #folder: StateFolder;
  readonly #look: Lease;
  readonly #fresh: Lease | null;
  #memory: StateMemory = NO_MEMORY;
  #lastTrusted: Asked | null = null;
  #seen: Sighting | null = null;
  #refusal: StateRefusal | null = { code: 'unreadable', why: 'the state file has not been looked at yet' };
  #watcher: FSWatcher | null = null;
  #cancelPoll: () => void = () => undefined;
  readonly #onVerified: (() => void)[] = [];
  readonly #kept = new Set<string>();
  #isClosed = false;
  readonly #report: (error: unknown) => void;

  constructor(options: StateFileOptions, parts: StateFileParts) {
    const { clock } = parts;
    const { path, maxAgeMs = null } = options;
    this.#options = options;
    this.#parts = parts;
    this.#report = reportTo(parts.onError);
    this.#folder = new StateFolder(path, clock);
    this.#look = new Lease(clock, { leaseMs: LOOK_LEASE_MS, storeAgeMs: 0 });
    this.#fresh = maxAgeMs === null ? null : new Lease(clock, { leaseMs: maxAgeMs, storeAgeMs: 0 });
  }

  /** Looks, and from then on again and again. */
  start(): void {
    if (this.#isClosed) return;
    this.#watch();
    this.look();
    this.#cancelPoll = this.#parts.clock.after(this.#options.pollMs ?? POLL_MS, () => {
      this.start();
    });
  }

  /** Whether the file may be trusted at this instant. */
  verified(): boolean {
    return this.refusal === null;
  }

  /** Why it may not; null when it may. */
  get refusal(): StateRefusal | null {
    if (this.#refusal !== null) return this.#refusal;
    const { path, maxAgeMs } = this.#options;
    if (!this.#look.held()) return { code: 'not-fresh', why: `this process could not look at the state file ${path}` };
    if (this.#fresh === null || this.#fresh.held()) return null;
    return { code: 'not-fresh', why: `the state file ${path} was not written again within ${maxAgeMs} ms` };
  }

  /** Resolves once the file may be trusted. */
  ready(): Promise<void> {
    if (this.verified()) return Promise.resolve();
    return new Promise((resolve) => this.#onVerified.push(resolve));
  }

  /** Looks now, without waiting for news. */
  look(): void {
    const asked = this.#look.asked();
    const sighting = this.#folder.look();
    if (this.#seen === null || !isSame(this.#seen, sighting)) this.#judge(sighting, asked);
    this.#seen = sighting;
    if (this.#refusal === null) this.#lastTrusted = asked;
    this.#look.renew(asked, { ageMs: Number.POSITIVE_INFINITY });
    if (this.verified()) for (const resolve of this.#onVerified.splice(0)) resolve();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPoll();
    this.#watcher?.close();
    this.#watcher = null;
  }

  #judge(sighting: Sighting, asked: Asked): void {
    const { namespace } = this.#parts;
    const { seal, host = hostname(), judge } = this.#options;
    const judgement = (judge?.(judgeState) ?? judgeState)(sighting, this.#memory, { namespace, seal, host });
    this.#apply(judgement);
    this.#renewByWriting(judgement, asked);
    this.#memory = judgement.memory;
    this.#refusal = judgement.refusal;
  }

  /** What was written after we had last seen it was written after we had last asked. A first sight proves nothing. */
  #renewByWriting({ memory }: StateJudgement, asked: Asked): void {
    if (this.#fresh === null || this.#lastTrusted === null || memory.sequence <= this.#memory.sequence) return;
    const sinceMs = this.#lastTrusted.monotonicMs <= asked.monotonicMs ? this.#lastTrusted : asked;
    this.#fresh.renew(sinceMs, { ageMs: Number.POSITIVE_INFINITY });
  }

  #apply({ stops, state }: StateJudgement): void {
    const { registry, endedBy } = this.#parts;
    const isEnded = endedIn(endedBy === 'file' ? (state?.ended ?? []) : []);
    for (const one of stops) {
      if (isEnded(one.stop.id)) continue;
      this.#arrive(one);
      this.#keep(one);
    }
    if (endedBy === 'store' || state === null) return;
    for (const { id } of registry.openEngagements()) if (isEnded(id)) registry.relayed(id, CLOSED);
  }

  #arrive({ text, signature, byHand }: FileStop): void {
    const { sign = null, offersUnsigned = true } = this.#options;
    try {
      const signed = signature ?? (byHand ? (sign?.(text) ?? null) : null);
      const offered = signed !== null || offersUnsigned ? 'here' : 'elsewhere';
      this.#parts.registry.arrive({ text, signature: signed, place: null, offered, authority: 'path' });
    } catch (error) {
      this.#report(error);
    }
  }

  #keep({ stop, byHand, beside }: FileStop): void {
    const { path, keepsHandStops = false, sign = null } = this.#options;
    if (!keepsHandStops || !byHand || beside !== null || this.#kept.has(stop.id)) return;
    try {
      haltByFileNow(path, stop, sign);
      this.#kept.add(stop.id);
    } catch (error) {
      this.#report(error);
    }
  }

  /** Notifications are a help only: they may be lost, or not be had at all, and then polls do. */
  #watch(): void {
    if (this.#watcher !== null) return;
    try {
      const { folder, base } = placeOf(this.#options.path);
      const prefix = haltPrefix(base);
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (this.#isClosed) return;
        if (name === null || name === base || name === HALT_NAME || name.startsWith(prefix)) this.look();
      });
      watcher.on('error', (error) => {
        watcher.close();
        this.#watcher = null;
        this.#report(error);
      });
      this.#watcher = watcher;
    } catch {
      // The folder is not there, or the system has no more watches to give.
    }
  }
}

/** Files that have not changed are the same objects. */
function isSame(one: Sighting, other: Sighting): boolean {
  const [was, is] = [one.state, other.state];
  const isState = was.kind === 'file' && is.kind === 'file' ? was.file === is.file : false;
  return isState && one.halts.length === other.halts.length && one.halts.every((file, at) => file === other.halts[at]);
}
