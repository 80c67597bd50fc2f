import { KilldrillError } from '../../../../src/errors.ts';
import type { ClaimToken, NewTask, TaskKind } from '../../../../src/store/store.ts';
import type { Scope, StopFlip } from '../../../../src/switch.ts';
import type { Prng } from '../../../../harness/traffic/prng.ts';
import type { StoreHandles } from '../contract/world.ts';
import { SOMEBODY, releaseText, sampleIntent, sampleTask, stopText } from '../samples.ts';

/** What the actors of a storm share. */
export interface Storm {
  readonly namespace: string;
  /** Tasks that somebody has tried to queue. */
  readonly tried: Map<string, NewTask>;
  /** Tasks whose enqueueing was answered. */
  readonly queued: Set<string>;
  /** Engagements that were answered and not yet released. */
  readonly open: Set<string>;
  readonly wrong: string[];
}

export const CRITICAL_TENANT = 'tenant-2';
const CLAIM_MS = 40;
/** A killed backend's call has no answer; and a stop may find the lock held for too long. */
const EXPECTED = new Set(['STORE_UNREACHABLE', 'STORE_BUSY', 'ENGAGEMENT_NOT_OPEN']);

/** A worker that does anything, in any order, and forgets some of its claims. */
export class StormWorker {
  readonly #storm: Storm;
  readonly #store: StoreHandles;
  readonly #prng: Prng;
  readonly #name: string;
  #claims: ClaimToken[] = [];
  #made = 0;
  #seq = 0;

  constructor(storm: Storm, store: StoreHandles, prng: Prng, name: string) {
    this.#storm = storm;
    this.#store = store;
    this.#prng = prng;
    this.#name = name;
  }

  async act(times: number): Promise<void> {
    for (let turn = 0; turn < times; turn += 1) {
      const act = pick(this.#prng, [
        ...[this.#enqueue, this.#claim, this.#claim, this.#finish, this.#again, this.#halted, this.#retry],
        ...[this.#giveBack, this.#sweep, this.#sweep, this.#intent, this.#extend, this.#forget],
      ]);
      await expectable(this.#storm, () => act());
    }
    this.#claims = [];
  }

  readonly #enqueue = async (): Promise<void> => {
    const { head } = await this.#store.flips.load();
    const tasks = Array.from({ length: 1 + below(this.#prng, 4) }, () => this.#newTask());
    for (const task of tasks) this.#storm.tried.set(task.id, task);
    const answer = await this.#store.fence.enqueue(head, tasks);
    if (answer.kind === 'admitted') for (const { id } of tasks) this.#storm.queued.add(id);
  };

  readonly #claim = async (): Promise<void> => {
    const claimed = await this.#store.tasks.claim(
      this.#name,
      1 + below(this.#prng, 6),
      1 + below(this.#prng, CLAIM_MS),
    );
    this.#claims.push(...claimed.map(({ id, token }) => ({ task: id, token })));
  };

  readonly #finish = async (): Promise<void> => {
    const claim = this.#claims.pop();
    if (claim !== undefined)
      await this.#store.tasks.finish(claim, pick(this.#prng, ['done', 'done', 'failed', 'unknown']));
  };

  readonly #again = async (): Promise<void> => {
    const claim = this.#claims.pop();
    const at = new Date(Date.now() + below(this.#prng, 20)).toISOString();
    if (claim !== undefined) await this.#store.tasks.finish(claim, 'done', at);
  };

  readonly #halted = async (): Promise<void> => {
    const claim = this.#claims.pop();
    const engagement = pick(this.#prng, [null, 'nobody knows it', ...this.#storm.open]);
    if (claim !== undefined) await this.#store.tasks.halted(claim, engagement);
  };

  readonly #retry = async (): Promise<void> => {
    const claim = this.#claims.pop();
    if (claim !== undefined) await this.#store.tasks.retry(claim, below(this.#prng, 20));
  };

  readonly #giveBack = async (): Promise<void> => {
    const claim = this.#claims.pop();
    if (claim !== undefined) await this.#store.tasks.giveBack(claim);
  };

  readonly #sweep = async (): Promise<void> => {
    const { swept } = await this.#store.tasks.sweep(1 + below(this.#prng, 8));
    if (swept < 0) this.#storm.wrong.push(`a sweep said that it swept ${swept}`);
  };

  /** An effect of which, one time in three, nobody ever hears again. */
  readonly #intent = async (): Promise<void> => {
    const claim = this.#claims.at(-1);
    if (claim === undefined) return;
    this.#seq += 1;
    const { head } = await this.#store.flips.load();
    await this.#store.fence.admitIntents(this.#name, head, [sampleIntent(this.#seq, { claim })]);
    if (below(this.#prng, 3) > 0)
      await this.#store.outcomes.record(this.#name, [{ seq: this.#seq, kind: 'landed', detail: null }]);
  };

  readonly #extend = async (): Promise<void> => void (await this.#store.tasks.extend(this.#claims, CLAIM_MS));

  readonly #forget = async (): Promise<void> => void this.#claims.pop();

  #newTask(): NewTask {
    this.#made += 1;
    const id = `${this.#name}-${this.#made}`;
    const kind = pick<TaskKind>(this.#prng, ['run', 'timer', 'webhook', 'child']);
    return sampleTask(id, {
      kind,
      tenant: `tenant-${below(this.#prng, 3)}`,
      lineage: pick(this.#prng, [[], ['root-1'], ['root-2', 'x']]),
      capability: kind === 'webhook' ? 'webhook/notify' : null,
      due: pick(this.#prng, [{ kind: 'now' }, { kind: 'in', ms: below(this.#prng, 25) }]),
      pastDue: pick(this.#prng, ['fire', 'skip', 'shift']),
      repeat: pick(this.#prng, [null, null, 'every 10']),
    });
  }
}

/** Stops, releases, resumes. */
export class StormOperator {
  readonly #storm: Storm;
  readonly #store: StoreHandles;
  readonly #prng: Prng;
  #count = 0;

  constructor(storm: Storm, store: StoreHandles, prng: Prng) {
    this.#storm = storm;
    this.#store = store;
    this.#prng = prng;
  }

  async act(times: number): Promise<void> {
    for (let turn = 0; turn < times; turn += 1) {
      const act = pick(this.#prng, [this.#stop, this.#release, this.#release, this.#resume]);
      await expectable(this.#storm, () => act());
    }
  }

  /** Releases whatever is open by now, also what was stopped by a call that had no answer. */
  async releaseAll(): Promise<void> {
    const open = await this.#store.control.openEngagements();
    const ids = open.map(({ flip }) => flip.id);
    if (ids.length > 0) await this.#store.control.flip(releaseText(this.#storm.namespace, ids), null);
    this.#storm.open.clear();
  }

  readonly #stop = async (): Promise<void> => {
    this.#count += 1;
    const id = `stop-${this.#count}`;
    const [scope, target] = pick<readonly [Scope, string]>(this.#prng, [
      ...([
        ['global', '*'],
        ['tenant', 'tenant-0'],
        ['tenant', 'tenant-1'],
        ['tenant', CRITICAL_TENANT],
      ] as const),
      ...([
        ['run', 'root-1'],
        ['agent', 'agent-1'],
        ['capability', 'webhook/*'],
        ['capability', 'write/*'],
      ] as const),
    ]);
    const how = pick<Partial<StopFlip>>(this.#prng, [
      ...([{ queue: 'park' }, { queue: 'discard' }, { mode: 'emergency', queue: 'park' }] as const),
      ...([
        { mode: 'halt_noncritical', queue: 'discard' },
        { queue: 'drain', drainMs: 1 + below(this.#prng, 60) },
      ] as const),
    ]);
    await this.#store.control.flip(stopText(this.#storm.namespace, { id, scope, target, ...how }), null);
    this.#storm.open.add(id);
  };

  readonly #release = async (): Promise<void> => {
    const [...open] = this.#storm.open;
    const id = open[below(this.#prng, open.length + 1)];
    if (id === undefined) return;
    await this.#store.control.flip(releaseText(this.#storm.namespace, [id]), null);
    this.#storm.open.delete(id);
  };

  readonly #resume = async (): Promise<void> => {
    const which = pick(this.#prng, [{ kind: 'all' }, { kind: 'tenant', tenant: 'tenant-1' }] as const);
    await this.#store.operator.resume(which, { kind: 'at-once' }, SOMEBODY);
  };
}

async function expectable(storm: Storm, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof KilldrillError && EXPECTED.has(error.code))) storm.wrong.push(String(error));
  }
}

export function below(prng: Prng, bound: number): number {
  return Math.floor(prng.uniform() * bound);
}

export function pick<T>(prng: Prng, from: readonly T[]): T {
  const one = from[below(prng, from.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}
