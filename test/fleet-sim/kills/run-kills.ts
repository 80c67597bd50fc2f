import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { makePrng } from '../../../harness/traffic/prng.ts';
import type { Prng } from '../../../harness/traffic/prng.ts';
import type { TraceRun } from '../../../harness/traffic/trace.ts';
import { handedRun } from '../../../harness/world/handed-run.ts';
import type { StoreHandles } from '../../src/store/contract/world.ts';
import type { PreparedDatabase } from '../../src/store/postgres/prepared-database.ts';
import { below, pick } from '../../src/store/postgres/queue-storm.ts';
import { task } from '../fleet-rig.ts';
import { drawFamilies } from './draw-runs.ts';
import { judgeKills } from './judge.ts';
import type { KillRecord } from './judge.ts';
import { KilledFleet } from './killed-fleet.ts';
import { Operator } from './operator.ts';
import { QueueTable } from './queue-table.ts';
import { until } from './until.ts';

export interface KillPlan {
  readonly seed: string;
  readonly rounds: number;
  readonly killsPerRound: number;
}

export interface KillReport {
  readonly wrong: readonly string[];
  readonly kills: number;
  readonly record: KillRecord;
  /** How often the operator did what. */
  readonly did: ReadonlyMap<string, number>;
}

interface Stage {
  readonly database: PreparedDatabase;
  readonly owner: pg.Client;
  readonly command: readonly string[];
}

/** Half of them are starting at any time. */
const WORKERS = 6;
/** More than the kills can ever use up. */
const FAMILIES = 5_000;
/** Tasks that wait or run, kept up so that every kill hits somebody at work. */
const BUSY = 24;
const LEFT_AT_MOST = 250;
const CALM_MS = 30_000;

/** Rounds of kills among stops, releases and resumes; after each the whole fleet is stopped, and at the end everything may end. */
export async function runKills(stage: Stage, plan: KillPlan): Promise<KillReport> {
  const storm = await KillStorm.open(stage, plan);
  try {
    return await storm.rage(plan);
  } finally {
    await storm.close();
  }
}

class KillStorm {
  readonly #fleet: KilledFleet;
  readonly #families: readonly (readonly TraceRun[])[];
  readonly #store: StoreHandles;
  readonly #table: QueueTable;
  readonly #operator: Operator;
  readonly #prng: Prng;
  readonly #letIn: string[] = [];

  private constructor(parts: {
    readonly fleet: KilledFleet;
    readonly families: readonly (readonly TraceRun[])[];
    readonly store: StoreHandles;
    readonly table: QueueTable;
    readonly namespace: string;
    readonly prng: Prng;
  }) {
    const { fleet, families, store, table, namespace, prng } = parts;
    this.#fleet = fleet;
    this.#families = families;
    this.#store = store;
    this.#table = table;
    this.#prng = prng;
    const drawRun = (): string => pick(prng, this.#letIn.length === 0 ? ['r0'] : this.#letIn.slice(-20));
    this.#operator = new Operator({ namespace, store, prng: prng.split('operator'), drawRun });
  }

  static async open({ database, owner, command }: Stage, { seed }: KillPlan): Promise<KillStorm> {
    const namespace = `kills-${randomUUID()}`;
    await database.addNamespace(namespace);
    const prng = makePrng(seed);
    const families = drawFamilies(prng.split('runs'), FAMILIES);
    const fleet = new KilledFleet(families.flat(), { database, namespace, command });
    const store = database.open(namespace, { lockMs: 1_000 });
    return new KillStorm({ fleet, families, store, table: new QueueTable(owner, namespace), namespace, prng });
  }

  async close(): Promise<void> {
    await this.#fleet.close();
    await this.#store.close();
  }

  async rage({ rounds, killsPerRound }: KillPlan): Promise<KillReport> {
    await Promise.all(Array.from({ length: WORKERS }, () => this.#fleet.add()));
    for (let round = 0; round < rounds; round += 1) {
      await this.#killAmongActions(killsPerRound, this.#prng.split(`round ${round}`));
      await this.#calm();
    }
    const kills = this.#fleet.dead.length;
    await this.#bringToItsEnd();
    const record = await this.#record();
    return { wrong: judgeKills(record), kills, record, did: this.#operator.did };
  }

  async #killAmongActions(kills: number, prng: Prng): Promise<void> {
    const over = new AbortController();
    const loops = [
      this.#loop(over, 30, () => this.#feed()),
      this.#loop(over, 60, () => this.#bury()),
      this.#operate(over, prng.split('pauses')),
    ];
    const killing = (async () => {
      try {
        for (let kill = 0; kill < kills && !over.signal.aborted; kill += 1) {
          // When it hits is drawn, not awaited: any moment of an effect's life is wanted.
          await pause(50 + below(prng, 200));
          await this.#fleet.killOne(prng);
        }
      } finally {
        over.abort();
      }
    })();
    await Promise.all([killing, ...loops]);
  }

  async #operate(over: AbortController, prng: Prng): Promise<void> {
    await this.#loop(over, 0, async () => {
      await pause(50 + below(prng, 300));
      if (prng.uniform() < 0.15) await this.#resumeUnknown();
      else await this.#operator.act();
    });
  }

  /** Does it again and again until it is over; what fails ends the others too. */
  async #loop(over: AbortController, everyMs: number, act: () => Promise<void>): Promise<void> {
    try {
      while (!over.signal.aborted) {
        await act();
        await pause(everyMs);
      }
    } finally {
      over.abort();
    }
  }

  async #feed(): Promise<void> {
    const { queued = 0, running = 0, parked = 0 } = await this.#table.states();
    if (queued + running >= BUSY || queued + running + parked >= LEFT_AT_MOST) return;
    const family = this.#families[this.#letIn.length];
    if (family?.[0] === undefined) throw new Error('no runs are left');
    const { run, plan, ...who } = handedRun(family[0]);
    // A stop may come between the question and the fence: it is asked again then.
    for (let isIn = false; !isIn;) {
      const { head } = await this.#store.flips.load();
      isIn = (await this.#store.fence.enqueue(head, [task(run, plan, who)])).kind === 'admitted';
    }
    this.#letIn.push(run);
  }

  #bury(): Promise<void> {
    return this.#table.endClaims(this.#fleet.dead);
  }

  async #resumeUnknown(): Promise<void> {
    const runs = await this.#table.unknownRuns();
    if (runs.length > 0) await this.#operator.resume({ kind: 'runs', runs });
  }

  /** Under a stop of everything nothing is left running, whoever was killed, and nothing waits to be claimed. */
  async #calm(): Promise<void> {
    const id = await this.#operator.stop({ queue: 'park' });
    await until(CALM_MS, async () => {
      await this.#bury();
      const states = await this.#table.states();
      const isStill = (states['running'] ?? 0) + (states['queued'] ?? 0) + (await this.#table.openSweeps()) === 0;
      return isStill ? null : `under a stop of everything the queue holds ${JSON.stringify(states)}`;
    });
    await this.#operator.release(id);
  }

  async #bringToItsEnd(): Promise<void> {
    await this.#operator.releaseAll();
    await until(CALM_MS, async () => {
      await this.#bury();
      await this.#resumeUnknown();
      await this.#operator.resume({ kind: 'all' });
      const { done = 0, failed = 0, ...left } = await this.#table.states();
      return Object.keys(left).length === 0
        ? null
        : `${done} done, ${failed} failed, and ${JSON.stringify(left)} are left`;
    });
  }

  async #record(): Promise<KillRecord> {
    return {
      ...this.#fleet.seen(),
      letIn: this.#letIn,
      runs: new Map(this.#families.flat().map((run) => [run.run, run])),
      tasks: await this.#table.tasks(),
      changes: await this.#table.changes(),
      journal: await this.#table.journal(),
      resumed: this.#operator.resumed,
    };
  }
}
