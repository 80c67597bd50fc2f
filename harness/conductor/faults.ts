import { messageOf } from '../../src/errors.ts';
import type { DrillClock } from '../history/clock.ts';
import type { FaultFacts } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { FaultEntry } from '../scenario/scenario.ts';
import type { Fault, FaultGround } from './fault.ts';
import { setClockOff } from './faults/clock.ts';
import { faultOnPlane, proxyFaultOf } from './faults/plane.ts';
import { killProcess, pauseProcess, restartProcess } from './faults/process.ts';
import { damageStateFile } from './faults/state-file.ts';
import { killServer, pauseServer, restartServer, serverNamed } from './faults/server.ts';

interface Active {
  readonly facts: FaultFacts;
  readonly fault: Fault;
  /** The recovery once it has begun. */
  recovering: Promise<void> | null;
  readonly timer: AbortController;
}

/** Injects faults, keeps their receipts, and undoes them last-in first-out. */
export class Faults {
  readonly #ground: FaultGround;
  readonly #history: HistorySink;
  readonly #clock: DrillClock;
  readonly #seed: number;
  #active: Active[] = [];
  #count = 0;

  /** `seed` is the drill's: what a fault draws, it draws again in a replay. */
  constructor(ground: FaultGround, history: HistorySink, clock: DrillClock, seed: number) {
    this.#seed = seed;
    this.#ground = ground;
    this.#history = history;
    this.#clock = clock;
  }

  /** Injects one fault; its recovery, if it has an end, goes on by itself. */
  async inject(entry: FaultEntry): Promise<void> {
    this.#count += 1;
    const facts: FaultFacts = { fault: this.#count, kind: entry.fault, target: entry.target, plane: entry.plane };
    const active: Active = {
      facts,
      fault: faultOf(entry, `${this.#seed}/fault ${this.#count}`),
      recovering: null,
      timer: new AbortController(),
    };
    this.#history.append({ type: 'fault.selected', ...facts });
    this.#active.push(active);
    const t0 = this.#clock.nowNs();
    let seen = false;
    const observed = (): void => {
      if (seen) return;
      seen = true;
      this.#history.append({ type: 'fault.observed', ...facts });
    };
    try {
      await active.fault.inject(this.#ground, observed);
      this.#history.append({ type: 'fault.injected', ...facts }, { t0, t1: this.#clock.nowNs() });
    } catch (error) {
      this.#history.append({ type: 'conductor.gaveUp', what: describe(facts), missing: messageOf(error) });
      return;
    }
    if (entry.fault === 'restart') await this.#recover(active);
    else if (entry.forMs !== null) this.#recoverAfter(active, entry.forMs);
  }

  /** Undoes whatever is still at work, the last first. Never rejects: what could not be undone is in the history. */
  async undoAll(): Promise<void> {
    for (const active of [...this.#active].reverse()) {
      active.timer.abort();
      await this.#recover(active);
    }
    this.#active = [];
  }

  #recoverAfter(active: Active, ms: number): void {
    const timer = setTimeout(() => void this.#recover(active), ms);
    active.timer.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  #recover(active: Active): Promise<void> {
    active.recovering ??= this.#recoverOnce(active);
    return active.recovering;
  }

  async #recoverOnce({ fault, facts }: Active): Promise<void> {
    const t0 = this.#clock.nowNs();
    try {
      // What was killed is not brought back only to be ended again.
      if (fault.endsWhatItHits) this.#ground.signal.throwIfAborted();
      await fault.recover(this.#ground);
      const acted = fault.acted?.() ?? null;
      const told = acted === null ? {} : { acted };
      this.#history.append({ type: 'fault.recovered', ...facts, ...told }, { t0, t1: this.#clock.nowNs() });
    } catch (error) {
      this.#history.append({ type: 'conductor.gaveUp', what: `undo of ${describe(facts)}`, missing: messageOf(error) });
    }
  }
}

function describe({ kind, target, plane }: FaultFacts): string {
  return `${kind} of ${target}${plane === null ? '' : ` (${plane} plane)`}`;
}

function faultOf(entry: FaultEntry, seed: string): Fault {
  const { fault, target, plane } = entry;
  const server = serverNamed(target);
  switch (fault) {
    case 'kill':
      return server === null ? killProcess(target) : killServer(server);
    case 'pause':
      return server === null ? pauseProcess(target) : pauseServer(server);
    case 'restart':
      return server === null ? restartProcess(target) : restartServer(server);
    case 'clock':
      return setClockOff(target, entry.offsetMs ?? 0);
    case 'tear':
    case 'remove':
      return damageStateFile(fault);
    case 'cut':
    case 'reset':
    case 'half-open':
    case 'latency':
    case 'jitter':
    case 'bandwidth':
      return faultOnPlane(target, plane ?? 'registry', proxyFaultOf(fault, entry, seed));
    default:
      throw new TypeError(`unknown fault ${String(fault satisfies never)}`);
  }
}
