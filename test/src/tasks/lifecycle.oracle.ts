import { expect } from 'vitest';
import type { ClaimedTask, NewTask, TaskState } from '../../../src/store/store.ts';
import type { StopFlip } from '../../../src/switch.ts';

/** A stop as the oracle remembers it. */
export interface Stop {
  readonly flip: StopFlip;
  readonly openedRevision: number;
  readonly drainUntilMs: number;
  open: boolean;
  /** The head's revision when it was released. */
  closedRevision: number;
}

/** One task's story, told from what was asked of the store and what it answered. */
export interface Story {
  readonly task: NewTask;
  readonly critical: boolean;
  /** `waiting` whatever it waits as: that follows from the stops, and is not remembered. */
  phase: 'waiting' | 'running' | 'unknown' | 'done' | 'failed';
  stamp: number;
  dueMs: number;
  attempts: number;
  /** A refusal that discards took it, so that no stamp has to. */
  taken: boolean;
  haltedBy: string | null;
  /** `head` is where the store stood when it was claimed. */
  claim: { readonly token: string; readonly deadlineMs: number; readonly head: number } | null;
  openEffect: boolean;
  landed: readonly string[];
}

/**
 * DESIGN §3.11 read aloud, over all stops that there ever were: slow, with nothing remembered that follows from something
 * else, and none of the store's code. It checks what it is told of, and says what has to be when everything has settled.
 */
export class LifecycleOracle {
  readonly stops: Stop[] = [];
  readonly stories = new Map<string, Story>();
  head = 0;

  story(id: string): Story {
    const found = this.stories.get(id);
    if (found === undefined) throw new Error(`the oracle was not told of task '${id}'`);
    return found;
  }

  /** Taken for good, unless resumed: a stop that discards was opened since it was let in. */
  isDoomed(story: Story): boolean {
    const kills = ({ flip, openedRevision }: Stop): boolean =>
      flip.queue === 'discard' && flip.mode !== 'halt_noncritical' && openedRevision > story.stamp;
    return story.taken || this.stops.some((stop) => kills(stop) && reaches(stop, story));
  }

  /** Held for now. */
  isHeld(story: Story, nowMs: number): boolean {
    return this.stops.some((stop) => stop.open && reaches(stop, story) && !spares(stop, story, nowMs));
  }

  /** What a task that is let go of becomes. */
  settled(story: Story, nowMs: number): TaskState {
    if (this.isDoomed(story)) return 'discarded';
    return this.isHeld(story, nowMs) ? 'parked' : 'queued';
  }

  claimed(task: ClaimedTask, nowMs: number, claimMs: number): void {
    const story = this.story(task.id);
    const free = story.phase === 'waiting' || isOver(story, nowMs);
    expect(free, `'${task.id}' was claimed while it was ${story.phase}`).toBe(true);
    expect(story.phase === 'running' && story.openEffect, `'${task.id}' was claimed with an effect open`).toBe(false);
    expect(this.isDoomed(story), `'${task.id}' was claimed although it was discarded`).toBe(false);
    expect(this.isHeld(story, nowMs), `'${task.id}' was claimed although it was halted`).toBe(false);
    expect(story.dueMs, `'${task.id}' was claimed before it was due`).toBeLessThanOrEqual(nowMs);
    expect(task.attempts, `attempts of '${task.id}'`).toBe(story.attempts);
    expect(task.admittedRevision, `the stamp of '${task.id}'`).toBe(story.stamp);
    expect(task.critical, `whether '${task.id}' is critical`).toBe(story.critical);
    const known = task.effects.filter(({ outcome }) => outcome === 'landed').map(({ key }) => key);
    expect(known.toSorted(), `what '${task.id}' has done`).toEqual([...story.landed].toSorted());
    story.phase = 'running';
    story.attempts += 1;
    story.openEffect = false;
    story.claim = { token: task.token, deadlineMs: nowMs + claimMs, head: this.head };
  }

  /**
   * Whether a word under this token has to be heard; null where the claim is over and the store may or may not have
   * noticed. `heard` tells what the store did.
   */
  hear(id: string, token: string, heard: boolean, nowMs: number): boolean {
    const story = this.story(id);
    const isCurrent = story.phase === 'running' && story.claim?.token === token;
    if (isCurrent && !heard && isOver(story, nowMs)) {
      this.letGo(story, story.openEffect ? 'unknown' : 'waiting');
      return false;
    }
    expect(heard, `the word on '${id}' counted, though its claim was ${isCurrent ? 'its own' : 'another one'}`).toBe(
      isCurrent,
    );
    return heard;
  }

  letGo(story: Story, phase: Exclude<Story['phase'], 'running'>): void {
    story.phase = phase;
    story.claim = null;
  }

  /** How many tasks are in each state once all claims are over, all sweeps are done, and everything that is to be had was claimed. */
  statesAfterAll(nowMs: number): ReadonlyMap<TaskState, number> {
    const states = new Map<TaskState, number>();
    for (const story of this.stories.values()) {
      const state = this.#stateAfterAll(story, nowMs);
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    return states;
  }

  #stateAfterAll(story: Story, nowMs: number): TaskState {
    if (story.phase === 'waiting') return this.settled(story, nowMs);
    if (isOver(story, nowMs)) return story.openEffect ? 'unknown' : this.settled(story, nowMs);
    return story.phase;
  }
}

/** Nobody has the right to speak for it any more. */
export function isOver({ phase, claim }: Story, nowMs: number): boolean {
  return phase === 'running' && claim !== null && claim.deadlineMs <= nowMs;
}

/** Stated by cases, not by the runtime's matcher. */
function reaches({ flip }: Stop, { task, haltedBy }: Story): boolean {
  const { scope, target, id } = flip;
  if (haltedBy === id || scope === 'global') return true;
  if (scope === 'run') return [task.run, ...task.lineage].includes(target);
  if (scope === 'capability') return task.capability === target;
  return task[scope] === target;
}

function spares({ flip, openedRevision, drainUntilMs }: Stop, story: Story, nowMs: number): boolean {
  if (flip.mode === 'halt_noncritical') return story.critical;
  if (story.haltedBy === flip.id) return false;
  return flip.queue === 'drain' && story.stamp < openedRevision && nowMs < drainUntilMs;
}
