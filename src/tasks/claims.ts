import type { Clock } from '../clock.ts';
import { KilldrillError } from '../errors.ts';
import type { ClaimToken, ClaimedTask, TaskQueue } from '../store/store.ts';
import { within } from '../within.ts';
import { reportTo } from '../report-to.ts';

interface ClaimsParts {
  readonly tasks: Pick<TaskQueue, 'claim' | 'extend'>;
  readonly clock: Clock;
  readonly incarnation: string;
  /** How long a claim lasts, milliseconds. It is extended at a third of it. */
  readonly claimMs: number;
  /** Told once of each claim that is no longer ours, so that what runs under it is ended. */
  readonly onLost: (claim: ClaimToken, error: KilldrillError) => void;
  readonly onError?: (error: Error) => void;
}

interface Held {
  readonly task: ClaimedTask;
  /** Monotonic instant at which the claim ends for certain no later than by the store's clock. */
  deadlineMs: number;
  lost: KilldrillError | null;
}

/**
 * The claims that this process works under: extended while they are held, and known for lost as soon as the store says
 * so, or as soon as their time is up by our own clock. A run whose claim is lost must not go on: by now it may be
 * another's.
 */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #held = new Map<string, Held>();
  #cancel: (() => void) | null = null;
  #extending = false;
  #closed = false;
  readonly #report: (error: unknown) => void;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
    this.#report = reportTo(parts.onError);
  }

  /** The tasks whose claims are held now, lost ones included. */
  tasks(): readonly ClaimedTask[] {
    return Array.from(this.#held.values(), ({ task }) => task);
  }

  /** Claims up to `limit` tasks and holds them: each needs its `release`. @throws as the queue's `claim`. */
  async claim(limit: number): Promise<readonly ClaimedTask[]> {
    const { tasks, clock, incarnation, claimMs } = this.#parts;
    const askedMs = clock.monotonicMs();
    const claimed = await tasks.claim(incarnation, limit, claimMs);
    for (const task of claimed) this.hold(task, askedMs);
    return claimed;
  }

  /** Extends the claim on a task until it is released. `askedMs` is the monotonic instant at which it was asked for. */
  hold(task: ClaimedTask, askedMs: number = this.#parts.clock.monotonicMs()): void {
    this.#held.set(task.token, { task, deadlineMs: askedMs + this.#parts.claimMs, lost: null });
    if (this.#cancel === null && !this.#extending) this.#in(this.#parts.claimMs / 3);
  }

  /** The task has ended, or was given back: its claim is not looked after any more. May be called twice. */
  release({ token }: Pick<ClaimedTask, 'token'>): void {
    this.#held.delete(token);
    if (this.#held.size === 0) this.#stop();
  }

  /** Why this claim must not be worked under any more; null while it is ours, and for one that is not held here. */
  lost({ token }: ClaimToken): KilldrillError | null {
    const held = this.#held.get(token);
    if (held === undefined) return null;
    if (held.lost === null && this.#parts.clock.monotonicMs() >= held.deadlineMs) this.#expire(held);
    return held.lost;
  }

  /** Extends nothing any more; claims end by themselves. */
  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #in(ms: number): void {
    this.#stop();
    if (this.#closed || this.#held.size === 0) return;
    this.#cancel = this.#parts.clock.after(ms, () => {
      this.#cancel = null;
      void this.#round();
    });
  }

  /** One question at a time; a failed one is asked again four times as soon. */
  async #round(): Promise<void> {
    const { claimMs } = this.#parts;
    this.#extending = true;
    let nextMs = claimMs / 3;
    try {
      await this.#extend();
    } catch (error) {
      nextMs = claimMs / 12;
      this.#report(error);
    }
    this.#extending = false;
    for (const held of this.#held.values()) this.lost(tokenOf(held));
    this.#in(nextMs);
  }

  async #extend(): Promise<void> {
    const { tasks, clock, claimMs } = this.#parts;
    const asked = [...this.#held.values()].filter((held) => this.lost(tokenOf(held)) === null);
    if (asked.length === 0) return;
    const askedMs = clock.monotonicMs();
    const boundMs = claimMs / 4;
    const late = (): Error =>
      new KilldrillError('EXTEND_UNANSWERED', `the store did not extend ${asked.length} claims within ${boundMs} ms`);
    const ours = new Set(await within(clock, boundMs, tasks.extend(asked.map(tokenOf), claimMs), late));
    for (const held of asked) {
      if (ours.has(held.task.id)) held.deadlineMs = Math.max(held.deadlineMs, askedMs + claimMs);
      else this.#lose(held, 'the store says that it is not ours any more');
    }
  }

  #expire(held: Held): void {
    this.#lose(held, `the store has not extended it for ${this.#parts.claimMs} ms`);
  }

  #lose(held: Held, why: string): void {
    // One that was released meanwhile has come to its own end.
    if (held.lost !== null || !this.#held.has(held.task.token)) return;
    const { id, agent } = held.task;
    held.lost = new KilldrillError(
      'CLAIM_LOST',
      `the claim on task ${id}, under which agent ${agent} works, is lost: ${why}; whoever claims it next goes on with it`,
    );
    try {
      this.#parts.onLost(tokenOf(held), held.lost);
    } catch (error) {
      this.#report(error);
    }
  }
}

function tokenOf({ task: { id, token } }: Held): ClaimToken {
  return { task: id, token };
}
