import { parseFlip } from '../../src/flip-text.ts';
import type { StopFlip, Switch } from '../../src/switch.ts';
import { waitUntil } from '../environment/wait.ts';
import type { DrillClock } from '../history/clock.ts';
import type { HistorySink } from '../history/write.ts';
import { runawaysOf } from '../traffic/runaway-runs.ts';
import type { Trace } from '../traffic/trace.ts';
import type { World } from '../world/world.ts';
import { FLEET_DETECTOR } from './drill-keys.ts';
import type { FleetAlerts } from './fleet-alerts.ts';

/** A stop as the store has it. */
export interface StoredStop {
  readonly revision: number;
  readonly text: string;
}

/** What became of a runaway. */
export interface Noticed {
  /** When it was let loose: nobody asked for its stop before. */
  readonly looseNs: number;
  /** By then it was known that somebody had; the end of the waiting when nobody has. */
  readonly askedNs: number;
  /** When the question was sent whose answer was the stop. */
  readonly sentNs: number;
  /** The first stop that a detector of the fleet got into the store; null when none did in time. */
  readonly stop: { readonly flip: StopFlip; readonly revision: number } | null;
}

interface RunawaysParts {
  readonly trace: Trace;
  readonly world: Pick<World, 'letLoose'>;
  readonly alerts: FleetAlerts;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  /** The stops of this switch that came after a revision, in their order. */
  readonly stopsOn: (on: Switch, afterRevision: number) => Promise<readonly StoredStop[]>;
}

/** An executor that is killed in between is back, and has joined its bus, within less. */
const NOTICE_MS = 30_000;
const LOOK_MS = 4;
/** A worker says its alert before it publishes it: it is on its way to us when the store has its stop. */
const HEAR_MS = 1_000;

/** Lets runaways loose, and waits until the fleet has noticed by itself. */
export class Runaways {
  readonly #parts: RunawaysParts;

  constructor(parts: RunawaysParts) {
    this.#parts = parts;
  }

  /**
   * @param flip counts the flips and releases of the timeline from 1
   * @param afterRevision the last revision that is known; what a detector asked for before is not about this runaway
   */
  async letLoose(flip: number, on: Switch, afterRevision: number, signal: AbortSignal): Promise<Noticed> {
    const { trace, world, alerts, clock, history } = this.#parts;
    const runs = runawaysOf(trace, flip);
    const looseNs = clock.nowNs();
    alerts.loosed(on, looseNs);
    history.append({ type: 'runaway.loose', flip, ...on, runs: runs.length }, { t0: looseNs, t1: looseNs });
    world.letLoose(runs);
    let sentNs = looseNs;
    let stop: Noticed['stop'] = null;
    const isNoticed = async (): Promise<boolean> => {
      sentNs = clock.nowNs();
      stop = await this.#look(on, afterRevision);
      return stop !== null;
    };
    await waitUntil(isNoticed, { boundMs: NOTICE_MS, everyMs: LOOK_MS, signal });
    const found = stop as Noticed['stop'];
    return { looseNs, askedNs: await this.#heardNs(found, signal), sentNs, stop: found };
  }

  /** Null while there is none, or while the store is away. */
  async #look(on: Switch, afterRevision: number): Promise<Noticed['stop']> {
    const stored = await this.#parts.stopsOn(on, afterRevision).catch(() => []);
    for (const { revision, text } of stored) {
      const flip = parseFlip(text);
      if (flip.kind === 'stop' && flip.triggeredBy === FLEET_DETECTOR) return { flip, revision };
    }
    return null;
  }

  async #heardNs(stop: Noticed['stop'], signal: AbortSignal): Promise<number> {
    const { alerts, clock } = this.#parts;
    if (stop === null) return clock.nowNs();
    const heardNs = (): number | null => alerts.heardNs(stop.flip.id);
    await waitUntil(() => heardNs() !== null, { boundMs: HEAR_MS, everyMs: LOOK_MS, signal });
    return heardNs() ?? clock.nowNs();
  }
}
