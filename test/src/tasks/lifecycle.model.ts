import { expect } from 'vitest';
import { canonicalText } from '../../../src/flip-text.ts';
import type { MemoryStore } from '../../../src/store/memory.ts';
import type { ClaimToken, CriticalRules, NewTask } from '../../../src/store/store.ts';
import type { StopFlip } from '../../../src/switch.ts';
import type { ManualClock } from '../manual-clock.ts';
import { SOMEBODY, releaseText, sampleIntent, sampleTask } from '../store/samples.ts';
import type { Action } from './lifecycle.actions.ts';
import { LifecycleOracle, isOver } from './lifecycle.oracle.ts';
import type { Story } from './lifecycle.oracle.ts';

const CLAIM_MS = 1_000;
const NAMESPACE = 'ns';
const RULES: CriticalRules = {
  capabilities: [],
  classes: [{ name: 'billing', scope: 'feature', target: 'billing' }],
};
const ROUNDS = 50;

/** A fleet at work on one queue while it is halted, swept, resumed and killed; the oracle hears of everything. */
export class LifecycleWorld {
  readonly #clock: ManualClock;
  readonly #store: MemoryStore;
  readonly #oracle = new LifecycleOracle();
  /** Every claim that was ever handed out: the old ones speak again too. */
  readonly #claims: ClaimToken[] = [];
  #areRulesOn = false;
  #seq = 0;

  constructor(clock: ManualClock, store: MemoryStore) {
    this.#clock = clock;
    this.#store = store;
  }

  async act(action: Action): Promise<void> {
    switch (action.kind) {
      case 'enqueue':
        return this.#enqueue(action.task, action.dueInMs);
      case 'claim':
        return this.#claim(action.limit);
      case 'pass':
        return this.#clock.block(action.ms);
      case 'stop':
        return this.#stop(action.stop);
      case 'release':
        return this.#release(action.which);
      case 'sweep':
        return void (await this.#store.sweep(action.limit));
      case 'resume':
        return this.#resume(action.which);
      case 'rules':
        return this.#rules(action.on);
      case 'everybody dies':
        return this.everybodyDies();
      default:
        return this.#speak(action);
    }
  }

  /** Nothing is lost, whatever happens. */
  async check(): Promise<void> {
    const counts = await this.#store.counts();
    const total = counts.reduce((sum, { count }) => sum + count, 0);
    expect(total, 'tasks that the store has').toBe(this.#oracle.stories.size);
  }

  /** All claimants are killed, their claims run out, sweeps end; then nothing may be other than the stops say. */
  async everybodyDies(): Promise<void> {
    this.#clock.block(CLAIM_MS);
    await this.#sweepAll();
    const before = this.#claims.length;
    await this.#claim(1_000); // settles what was running, and shows what may run
    for (const claim of this.#claims.slice(before)) await this.#halted(claim);
    const expected = this.#oracle.statesAfterAll(this.#clock.wallMs());
    const found = new Map((await this.#store.counts()).map(({ state, count }) => [state, count]));
    expect(sorted(found), 'states when all has settled').toEqual(sorted(expected));
  }

  /** The incident ends: everything is released and resumed, and then every task ends, once. */
  async ends(): Promise<void> {
    while (this.#oracle.stops.some(({ open }) => open)) await this.#release(0);
    this.#clock.block(100_000);
    await this.#sweepAll();
    await this.#claim(1_000);
    await this.#resume('all');
    await this.#resume('unknown');
    for (let round = 1; round <= ROUNDS && this.#unended().length > 0; round += 1) {
      this.#clock.block(CLAIM_MS);
      await this.#claim(1_000);
      const held = this.#unended().map(({ task, claim }) => ({ task: task.id, token: claim?.token ?? '' }));
      for (const claim of held) await this.#finish(claim, null);
      await this.#resume('unknown');
    }
    expect(
      this.#unended().map(({ task }) => task.id),
      'tasks that never end',
    ).toEqual([]);
    const states = new Set((await this.#store.counts()).map(({ state }) => state));
    expect(
      [...states].filter((state) => state !== 'done' && state !== 'failed'),
      'states at the end',
    ).toEqual([]);
  }

  async #enqueue(parts: Partial<NewTask>, dueInMs: number): Promise<void> {
    const id = `t${this.#oracle.stories.size}`;
    const task = sampleTask(id, { ...parts, due: { kind: 'in', ms: dueInMs } });
    const { head } = await this.#store.load();
    expect(await this.#store.enqueue(head, [task])).toMatchObject({ kind: 'admitted' });
    const story: Story = {
      ...{ task, critical: this.#areRulesOn && task.feature === 'billing', phase: 'waiting', stamp: this.#oracle.head },
      ...{ dueMs: this.#clock.wallMs() + dueInMs, attempts: 0, taken: false, haltedBy: null, claim: null },
      ...{ openEffect: false, landed: [] },
    };
    this.#oracle.stories.set(id, story);
  }

  async #claim(limit: number): Promise<void> {
    for (const task of await this.#store.claim('me', limit, CLAIM_MS)) {
      this.#oracle.claimed(task, this.#clock.wallMs(), CLAIM_MS);
      this.#claims.push({ task: task.id, token: task.token });
    }
  }

  async #stop(parts: Pick<StopFlip, 'scope' | 'target' | 'mode' | 'queue' | 'drainMs'>): Promise<void> {
    const id = `stop-${this.#oracle.head + 1}`;
    const said = { reason: 'why', triggeredBy: 'me', source: 'model', at: '2026-01-01T00:00:00Z' };
    const flip: StopFlip = { namespace: NAMESPACE, id, kind: 'stop', ...parts, ...said };
    await this.#store.flip(canonicalText(flip), null);
    this.#oracle.head += 1;
    const drainUntilMs = this.#clock.wallMs() + (parts.drainMs ?? 0);
    this.#oracle.stops.push({
      flip,
      openedRevision: this.#oracle.head,
      drainUntilMs,
      open: true,
      closedRevision: Infinity,
    });
  }

  async #release(which: number): Promise<void> {
    const stop = this.#oracle.stops.filter(({ open }) => open).at(which) ?? this.#oracle.stops.find(({ open }) => open);
    if (stop === undefined) return;
    await this.#store.flip(releaseText(NAMESPACE, [stop.flip.id], { id: `release-${this.#oracle.head + 1}` }), null);
    this.#oracle.head += 1;
    Object.assign(stop, { open: false, closedRevision: this.#oracle.head });
  }

  async #rules(on: boolean): Promise<void> {
    await this.#store.setCritical(on ? RULES : { capabilities: [], classes: [] }, SOMEBODY);
    this.#areRulesOn = on;
  }

  async #sweepAll(): Promise<void> {
    for (let round = 1; round <= ROUNDS; round += 1) if (!(await this.#store.sweep(100)).more) return;
    expect.fail('sweeps never end');
  }

  /** What was discarded comes back, all of it and nothing else; and, by name, what is unknown. */
  async #resume(which: 'all' | 'unknown'): Promise<void> {
    await this.#sweepAll();
    const nowMs = this.#clock.wallMs();
    const all = [...this.#oracle.stories.values()];
    const known = all.filter(({ phase }) => phase === 'unknown').map(({ task }) => task.run);
    if (which === 'unknown' && known.length === 0) return;
    const named = which === 'all' ? ({ kind: 'all' } as const) : ({ kind: 'runs', runs: known } as const);
    const { runs } = await this.#store.resume(named, { kind: 'at-once' }, SOMEBODY);
    const stopped = all.filter((story) => story.phase === 'waiting' && this.#oracle.isDoomed(story));
    const missed = (which === 'all' ? stopped.map(({ task }) => task.run) : known).filter((run) => !runs.includes(run));
    expect(missed, 'runs that a resume left behind').toEqual([]);
    for (const run of runs) {
      const story = this.#oracle.story(run);
      const isStopped = which === 'all' ? this.#oracle.isDoomed(story) : story.phase === 'unknown';
      // Nobody may hold it: it was let go of, or its claim is over and the store has seen it.
      const isFree = story.phase === 'waiting' || story.phase === 'unknown' || isOver(story, nowMs);
      expect(isStopped && isFree, `'${run}' was resumed while it was ${story.phase}`).toBe(true);
      this.#oracle.letGo(story, 'waiting');
      Object.assign(story, { stamp: this.#oracle.head, taken: false, dueMs: Math.max(story.dueMs, nowMs) });
    }
  }

  /** A claimant says something under a claim of any age. */
  async #speak(action: Extract<Action, { readonly who: number }>): Promise<void> {
    const claim = this.#claims.at(-1 - (action.who % Math.max(1, this.#claims.length)));
    if (claim === undefined) return;
    if (action.kind === 'finish') return this.#finish(claim, action.againInMs);
    if (action.kind === 'effect') return this.#effect(claim, action.lands);
    if (action.kind === 'retry') return this.#retry(claim, action.delayMs);
    if (action.kind === 'gives back') return this.#halted(claim);
    return this.#halted(claim, this.#oracle.stops[action.by]?.flip.id ?? null);
  }

  async #finish(claim: ClaimToken, againInMs: number | null): Promise<void> {
    const nowMs = this.#clock.wallMs();
    const story = this.#oracle.story(claim.task);
    const againMs = story.task.repeat === null || againInMs === null ? null : nowMs + againInMs;
    const heard =
      againMs === null
        ? await this.#store.finish(claim, 'done')
        : await this.#store.finish(claim, 'done', new Date(againMs).toISOString());
    if (!this.#oracle.hear(claim.task, claim.token, heard, nowMs)) return;
    this.#oracle.letGo(story, againMs === null ? 'done' : 'waiting');
    if (againMs !== null) Object.assign(story, { dueMs: againMs, attempts: 0, landed: [] });
  }

  async #retry(claim: ClaimToken, delayMs: number): Promise<void> {
    const nowMs = this.#clock.wallMs();
    const answer = await this.#store.retry(claim, delayMs);
    const story = this.#oracle.story(claim.task);
    if (!this.#oracle.hear(claim.task, claim.token, answer !== null, nowMs)) return;
    expect(answer, `what a retry of '${claim.task}' became`).toBe(
      story.openEffect ? 'unknown' : this.#oracle.settled(story, nowMs),
    );
    if (!story.openEffect) story.dueMs = nowMs + delayMs;
    this.#oracle.letGo(story, story.openEffect ? 'unknown' : 'waiting');
  }

  /** `by` an engagement's id, or null; undefined for a claimant that only gives back. */
  async #halted(claim: ClaimToken, by?: string | null): Promise<void> {
    const nowMs = this.#clock.wallMs();
    const story = this.#oracle.story(claim.task);
    const answer = by === undefined ? await this.#store.giveBack(claim) : await this.#store.halted(claim, by);
    if (!this.#oracle.hear(claim.task, claim.token, answer !== null && answer !== false, nowMs)) return;
    const claimedAt = story.claim?.head ?? 0;
    const stop = this.#oracle.stops.find(({ flip, closedRevision }) => flip.id === by && closedRevision > claimedAt);
    if (stop !== undefined) story.haltedBy = stop.flip.id;
    const { queue, mode } = stop?.flip ?? { queue: 'park', mode: 'halt_all' };
    if (!story.openEffect && queue === 'discard' && mode !== 'halt_noncritical') story.taken = true;
    story.attempts -= 1;
    const expected = story.openEffect ? 'unknown' : this.#oracle.settled(story, nowMs);
    expect(answer, `what '${claim.task}' became when it was stopped`).toBe(by === undefined ? true : expected);
    this.#oracle.letGo(story, story.openEffect ? 'unknown' : 'waiting');
  }

  async #effect(claim: ClaimToken, lands: boolean): Promise<void> {
    this.#seq += 1;
    const seq = this.#seq;
    const key = `${claim.task}/${seq}`;
    const { head } = await this.#store.load();
    const answer = await this.#store.admitIntents('me', head, [sampleIntent(seq, { claim, idempotencyKey: key })]);
    const heard = answer.kind === 'admitted' && answer.disowned.length === 0;
    const story = this.#oracle.story(claim.task);
    if (!this.#oracle.hear(claim.task, claim.token, heard, this.#clock.wallMs())) return;
    if (!lands) {
      story.openEffect = true;
      return;
    }
    await this.#store.record('me', [{ seq, kind: 'landed', detail: null }]);
    story.landed = [...story.landed, key];
  }

  #unended(): readonly Story[] {
    return [...this.#oracle.stories.values()].filter(({ phase }) => phase !== 'done' && phase !== 'failed');
  }
}

function sorted(states: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...states].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
