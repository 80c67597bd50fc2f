import { describe, expect, it } from 'vitest';
import type { DeadLetter, PartitionRange } from '../../../src/alerts/alert-bus.ts';
import type { AlertPlace, AlertTrip } from '../../../src/alerts/alert-store.ts';
import { MemoryBus } from '../../../src/alerts/memory-bus.ts';
import { MemoryAlertStore } from '../../../src/store/memory-alerts.ts';
import type { MemoryAlertHooks } from '../../../src/store/memory-alerts.ts';
import type { MemoryState, StoredFlip } from '../../../src/store/memory-state.ts';
import { parseFlip } from '../../../src/flip-text.ts';
import { counterexampleOf } from '../planted-bug.ts';
import { ExecutorWorld, model } from './executor.model.ts';
import { TOPIC } from './samples.ts';

const RUNS = 400;
const RUNS_TO_FIND = 5_000;
const BOUND_MS = 60_000;

/** The wordings weaker than DESIGN §3.14, each as a small change of the real store or bus. */
class SetsThePosition extends MemoryAlertStore {
  protected override move({ topic, partition, position }: AlertPlace): void {
    this.setPosition(topic, partition, position + 1);
  }
}

class TakesTheHighest extends MemoryAlertStore {
  readonly #positions: ReadonlyMap<string, number>;

  constructor(state: MemoryState, hooks: MemoryAlertHooks) {
    super(state, hooks);
    this.#positions = state.alertPositions;
  }

  protected override move({ topic, partition, position }: AlertPlace): void {
    const stands = this.#positions.get(`0 ${TOPIC}`) ?? 0;
    this.setPosition(topic, partition, Math.max(stands, position + 1));
  }
}

class CallsNothingStale extends MemoryAlertStore {
  protected override staleBy(): number | null {
    return null;
  }
}

class CallsStaleByTheSwitch extends MemoryAlertStore {
  readonly #flips: readonly StoredFlip[];

  constructor(state: MemoryState, hooks: MemoryAlertHooks) {
    super(state, hooks);
    this.#flips = state.flips;
  }

  protected override staleBy({ text, ground }: AlertTrip): number | null {
    const { scope, target } = parseFlip(text);
    const closed = this.#flips
      .filter(({ engagement }) => engagement?.on.scope === scope && engagement.on.target === target)
      .map(({ engagement }) => engagement?.closedRevision ?? 0);
    const last = Math.max(0, ...closed);
    return ground.kind === 'revision' && last > ground.revision ? last : null;
  }
}

/** Says that it has the letters, and keeps them with the next ones. */
class AcknowledgesFirst extends MemoryBus {
  #kept: readonly DeadLetter[] = [];

  override deadLetter(letters: readonly DeadLetter[]): Promise<void> {
    const before = this.#kept;
    this.#kept = letters;
    return super.deadLetter(before);
  }
}

class BeginsAtTheLatest extends MemoryBus {
  override async range(partition: number): Promise<PartitionRange> {
    const { end } = await super.range(partition);
    return { earliest: end, end };
  }
}

describe('the executor, whatever dies and whatever is cut off', () => {
  it('passes no alert without its record, and loses none', () => model({}, RUNS), BOUND_MS);
});

describe('an executor that does not know that it lost its partition', () => {
  it('lets go of a refused stop that the other has put on record', async () => {
    const world = new ExecutorWorld({});
    await world.act({ kind: 'start' });
    await world.act({ kind: 'alert', target: 0, behind: 0 });
    await world.act({ kind: 'reused id' });
    await world.act({ kind: 'alert', target: 0, behind: null });
    await world.act({ kind: 'rebalance', how: 'oblivious' });
    await world.act({ kind: 'alert', target: 0, behind: null });
    await world.recovers();
  });
});

describe('an executor that began while the store was away', () => {
  it('has the word of the store for each stop in hand before it lets another read them', async () => {
    const world = new ExecutorWorld({});
    await world.act({ kind: 'store', isAway: true });
    await world.act({ kind: 'start' });
    await world.act({ kind: 'alert', target: 0, behind: 0 });
    await world.act({ kind: 'reused id' });
    await world.recovers();
  });
});

describe('the model finds', () => {
  it(
    'a position that is set to what was recorded',
    () => found({ makeStore: (...given) => new SetsThePosition(...given) }, /without a record|went back/),
    BOUND_MS,
  );
  it(
    'a position that takes the highest',
    () => found({ makeStore: (...given) => new TakesTheHighest(...given) }, /without a record/),
    BOUND_MS,
  );
  it(
    'poison that is passed before its dead letter is kept',
    () => found({ makeBus: (...given) => new AcknowledgesFirst(...given) }, /without a dead letter/),
    BOUND_MS,
  );
  it(
    'a start at the latest',
    () => found({ makeBus: (...given) => new BeginsAtTheLatest(...given) }, /without a record|never got/),
    BOUND_MS,
  );
  it(
    'a stale alert that trips',
    () => found({ makeStore: (...given) => new CallsNothingStale(...given) }, /wrongly a flip/),
    BOUND_MS,
  );
  it(
    "an alert called stale by somebody else's release",
    () => found({ makeStore: (...given) => new CallsStaleByTheSwitch(...given) }, /wrongly a stale/),
    BOUND_MS,
  );
});

async function found(options: Parameters<typeof model>[0], what: RegExp): Promise<void> {
  expect(await counterexampleOf(() => model(options, RUNS_TO_FIND))).toMatch(what);
}
