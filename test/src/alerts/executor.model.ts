import fc from 'fast-check';
import { expect } from 'vitest';
import { parseFlip } from '../../../src/flip-text.ts';
import type { StopFlip } from '../../../src/switch.ts';
import { settled } from '../manual-clock.ts';
import { stopText } from '../store/samples.ts';
import { AlertRig } from './alert-rig.ts';
import type { RigExecutor, RigOptions } from './alert-rig.ts';
import { NAMESPACE, raw, signed } from './samples.ts';

/** The world of models/m5, with the real executor: a log of alerts, processes that die, a store and a bus that go away. */
type Action =
  /** A valid alert on one of two switches; how many revisions its detector was behind, null for none named. */
  | { readonly kind: 'alert'; readonly target: number; readonly behind: number | null }
  | { readonly kind: 'poison' | 'same again' | 'reused id' | 'start' | 'operator stops' }
  | { readonly kind: 'kill' | 'release' | 'let go' | 'lose'; readonly which: number }
  | { readonly kind: 'store' | 'bus'; readonly isAway: boolean }
  | { readonly kind: 'rebalance'; readonly how: 'told' | 'oblivious' }
  | { readonly kind: 'pass'; readonly ms: number };

const which = fc.nat(3);
export const actions: fc.Arbitrary<Action[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('alert' as const),
        target: fc.nat(1),
        behind: fc.option(fc.nat(3), { nil: null }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('poison' as const, 'start' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('same again' as const, 'reused id' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('operator stops' as const) }) },
    { weight: 10, arbitrary: fc.record({ kind: fc.constant('let go' as const), which }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), which }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), which }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), which }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('store' as const, 'bus' as const), isAway: fc.boolean() }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('rebalance' as const),
        how: fc.constantFrom('told' as const, 'oblivious' as const),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(10, 60, 120) }) },
  ),
  { maxLength: 40 },
);

interface Wait {
  readonly letGo: () => void;
  readonly lose: () => void;
}

const GATED = ['trip', 'trips', 'refuse', 'deadLetter', 'commit', 'deliver'];
const TARGETS = ['acme', 'beta'];
const MAX_ALIVE = 2;

/** One run. Every call of an executor to store or bus waits, before and after, until an action lets it go or cuts it off. */
export class ExecutorWorld {
  readonly #rig: AlertRig;
  readonly #executors: RigExecutor[] = [];
  readonly #gone: RigExecutor[] = [];
  readonly #waiting: Wait[] = [];
  #numbers = 0;
  #lastAlert: Parameters<typeof signed>[1] | null = null;
  #lastPosition: number | null = null;

  constructor(options: RigOptions) {
    this.#rig = new AlertRig(options);
    this.#rig.onStep = (_, step) => {
      if (!GATED.some((name) => step.endsWith(name))) return undefined;
      return new Promise<void>((resolve, reject) => {
        this.#waiting.push({ letGo: resolve, lose: () => reject(new Error(`${step}: cut off`)) });
      });
    };
    this.#start();
  }

  async act(action: Action): Promise<void> {
    await this.#do(action);
    await settled();
    this.#check();
  }

  async #do(action: Action): Promise<void> {
    const rig = this.#rig;
    switch (action.kind) {
      case 'alert':
        return this.#alert(action.target, action.behind);
      case 'poison':
        return void rig.publish(raw(`poison ${(this.#numbers += 1)}`));
      case 'same again':
        return this.#again({});
      case 'reused id':
        return this.#again({ reason: `other ${(this.#numbers += 1)}` });
      case 'start':
        return this.#start();
      case 'operator stops':
        return void (await rig.control.flip(stopText(NAMESPACE, { scope: 'tenant', target: 'acme' }), null));
      case 'kill':
        return this.#kill(action.which);
      case 'release':
        return this.#release(action.which);
      case 'let go':
        return this.#take(action.which)?.letGo();
      case 'lose':
        return this.#take(action.which)?.lose();
      case 'store':
        rig.isStoreAway = action.isAway;
        return;
      case 'bus':
        rig.isBusAway = action.isAway;
        return;
      case 'rebalance':
        return rig.topic.members.length === 0 ? undefined : rig.topic.rebalance(action.how);
      case 'pass':
        return rig.pass(action.ms);
      default:
        throw new Error(`unknown action ${JSON.stringify(action satisfies never)}`);
    }
  }

  #take(place: number): Wait | undefined {
    return this.#waiting.splice(place % Math.max(1, this.#waiting.length), 1)[0];
  }

  #kill(place: number): void {
    const [killed] = this.#executors.splice(place % Math.max(1, this.#executors.length), 1);
    if (killed === undefined) return;
    killed.kill();
    this.#gone.push(killed);
  }

  #start(): void {
    if (this.#executors.length < MAX_ALIVE) this.#executors.push(this.#rig.launch());
  }

  #alert(target: number, behind: number | null): void {
    const id = `id-${(this.#numbers += 1)}`;
    const raisedAt = new Date(this.#rig.clock.wallMs()).toISOString();
    const observed = behind === null ? {} : { observedRevision: Math.max(0, this.#rig.state.head.revision - behind) };
    this.#lastAlert = { id, raisedAt, target: TARGETS[target] ?? 'acme', ...observed };
    this.#rig.publish(signed(this.#rig.detector, this.#lastAlert));
  }

  #again(change: { readonly reason?: string }): void {
    if (this.#lastAlert !== null) this.#rig.publish(signed(this.#rig.detector, { ...this.#lastAlert, ...change }));
  }

  async #release(place: number): Promise<void> {
    const open = this.#rig.state.flips.filter(({ engagement }) => engagement?.closedRevision === null);
    const chosen = open[place % Math.max(1, open.length)];
    if (chosen !== undefined) await this.#rig.release(chosen.id);
  }

  /** What holds at every moment. */
  #check(): void {
    const { state, topic } = this.#rig;
    const position = this.#rig.position();
    expect(position ?? 0, 'the position went back').toBeGreaterThanOrEqual(this.#lastPosition ?? 0);
    this.#lastPosition = position;
    const dead = new Set(this.#rig.deadPositions());
    for (let passed = 0; passed < (position ?? 0); passed += 1) {
      const record = state.alerts.find(({ place }) => place.position === passed);
      expect(record, `position ${position} passed alert ${passed} without a record`).toBeDefined();
      if (record?.kind === 'poison')
        expect(dead.has(passed), `poison ${passed} was passed without a dead letter`).toBe(true);
      if (record?.kind === 'flip')
        expect(state.flipsById.has(record.flipId ?? ''), `alert ${passed} has no flip`).toBe(true);
    }
    expect(topic.at(0).committed ?? 0, 'the bus was told more than the store').toBeLessThanOrEqual(position ?? 0);
    for (const { kind, flipId } of state.alerts)
      if (kind === 'flip' || kind === 'stale') this.#checkStale(kind, flipId ?? '');
  }

  /** Stale iff a release after what the detector saw, and before the record, closed one of its own on the same switch. */
  #checkStale(kind: 'flip' | 'stale', flipId: string): void {
    const { state } = this.#rig;
    const alert = this.#rig.topic.at(0).messages.find(({ bytes }) => flipId === this.#flipIdOf(bytes));
    if (alert === undefined) return;
    const said = JSON.parse(Buffer.from(alert.bytes).toString()) as { target: string; observedRevision?: number };
    const { observedRevision: observed } = said;
    if (observed === undefined) return; // by the clock: no run lasts as long as the skew
    const flipped = state.flipsById.get(flipId)?.record.revision ?? Number.POSITIVE_INFINITY;
    const isOvertaken = state.flips.some(({ engagement, record }) => {
      const stop = parseFlip(record.text) as StopFlip;
      if (stop.triggeredBy !== 'write-rate' || stop.target !== said.target) return false;
      const closed = engagement?.closedRevision ?? null;
      return closed !== null && closed > observed && closed < flipped;
    });
    expect(kind, `an alert that saw revision ${observed} is wrongly a ${kind}`).toBe(isOvertaken ? 'stale' : 'flip');
  }

  #flipIdOf(bytes: Uint8Array): string | null {
    for (const { events } of [...this.#executors, ...this.#gone]) {
      for (const event of events) {
        if (event.kind !== 'read' || event.judgement.kind !== 'trip') continue;
        if (Buffer.compare(event.message.bytes, bytes) === 0) return event.judgement.trip.flipId;
      }
    }
    return null;
  }

  /** Faults end: everything gets its record, and nothing that was refused is enforced anywhere. */
  async recovers(): Promise<void> {
    const rig = this.#rig;
    rig.isStoreAway = false;
    rig.isBusAway = false;
    rig.onStep = () => undefined;
    for (const { letGo } of this.#waiting) letGo();
    if (this.#executors.length === 0) this.#start();
    await rig.pass(1_200);
    this.#check();
    const { end } = rig.topic.rangeOf(0);
    expect(rig.position() ?? 0, 'an alert never got a record').toBe(end);
    const refused = rig.state.alerts.filter(({ kind }) => kind === 'stale' || kind === 'poison');
    for (const { registry } of this.#executors) {
      const open = new Set(registry.openEngagements().map(({ id }) => id));
      for (const { flipId } of refused) expect(open.has(flipId ?? ''), 'a refused stop is still enforced').toBe(false);
    }
    await rig.close();
  }
}

export function model(options: RigOptions, numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(actions, async (steps) => {
      const world = new ExecutorWorld(options);
      for (const step of steps) await world.act(step);
      await world.recovers();
    }),
    { numRuns },
  );
}
