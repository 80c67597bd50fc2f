import { KilldrillError, messageOf } from '../../src/errors.ts';
import { canonicalText } from '../../src/flip-text.ts';
import type { FlipAnswer, FlipStore } from '../../src/store/store.ts';
import { GLOBAL_TARGET } from '../../src/switch.ts';
import type { Flip } from '../../src/switch.ts';
import type { DrillClock } from '../history/clock.ts';
import type { FlipFacts } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';
import type { FlipEntry, ReleaseEntry } from '../scenario/scenario.ts';
import { sleep } from '../environment/wait.ts';

interface OperatorParts {
  readonly store: FlipStore;
  readonly namespace: string;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly newId: () => string;
  readonly wallMs: () => number;
  /** Told of each flip that the store took. */
  readonly onFlip: (flip: Flip) => void;
}

/** While the store is away a flip is offered again, under its same id, for as long as this. */
const INSIST_MS = 10_000;
const AGAIN_MS = 50;

/** The drill's operator: takes stops and releases, and remembers which engagements it opened on which switch. */
export class Operator {
  readonly #parts: OperatorParts;
  readonly #opened = new Map<string, string[]>();
  #flips = 0;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /** Makes one stop durable; its revision, or null when the store did not take it (the history has the reason). */
  async stop(entry: FlipEntry, signal: AbortSignal): Promise<number | null> {
    const id = this.#parts.newId();
    const { scope, mode, queue, drainMs, reason } = entry;
    const target = targetOf(entry);
    const drain = drainMs === null ? {} : { drainMs };
    const stop = { ...this.#common(id, scope, target, reason), kind: 'stop', mode, queue, ...drain } as const;
    const revision = await this.#flip(stop, 'taken', signal);
    const on = `${scope}:${target}`;
    if (revision !== null) this.#opened.set(on, [...(this.#opened.get(on) ?? []), id]);
    return revision;
  }

  /**
   * Closes what this drill opened on that switch; its revision, or null when the store did not take it. What is refused,
   * expected or not, stays open, and a later release names it again.
   */
  async release(entry: ReleaseEntry, signal: AbortSignal): Promise<number | null> {
    const { scope, reason, expect } = entry;
    const target = targetOf(entry);
    const engagements = this.#opened.get(`${scope}:${target}`) ?? [];
    const common = this.#common(this.#parts.newId(), scope, target, reason);
    const revision = await this.#flip({ ...common, kind: 'release', engagements }, expect, signal);
    if (revision !== null) this.#opened.delete(`${scope}:${target}`);
    return revision;
  }

  #common(id: string, scope: Flip['scope'], target: string, reason: string) {
    const { namespace, wallMs } = this.#parts;
    const at = new Date(wallMs()).toISOString();
    return { namespace, id, scope, target, reason, triggeredBy: 'drill', source: 'killdrill run', at } as const;
  }

  async #flip(flip: Flip, expected: FlipFacts['expected'], signal: AbortSignal): Promise<number | null> {
    const { clock, history } = this.#parts;
    this.#flips += 1;
    const facts: FlipFacts = {
      flip: this.#flips,
      kind: flip.kind,
      scope: flip.scope,
      target: flip.target,
      mode: flip.kind === 'stop' ? flip.mode : null,
      queue: flip.kind === 'stop' ? flip.queue : null,
      engagements: flip.kind === 'release' ? flip.engagements : [],
      expected,
      id: flip.id,
    };
    const requestedNs = clock.nowNs();
    history.append({ type: 'flip.requested', ...facts }, { t0: requestedNs, t1: requestedNs });
    const { answer, error, sentNs } = await this.#insist(canonicalText(flip), requestedNs, signal);
    const revision = answer?.record.revision ?? null;
    history.append(
      { type: 'flip.answered', ...facts, ok: answer !== null, revision, error },
      { t0: sentNs, t1: clock.nowNs() },
    );
    if (answer !== null) this.#parts.onFlip(flip);
    return revision;
  }

  /** The same id and text may be offered again: the store takes it once and gives the first answer. */
  async #insist(
    text: string,
    requestedNs: number,
    signal: AbortSignal,
  ): Promise<{ answer: FlipAnswer | null; error: string | null; sentNs: number }> {
    const { store, clock } = this.#parts;
    for (;;) {
      const sentNs = clock.nowNs();
      try {
        return { answer: await store.flip(text, null), error: null, sentNs };
      } catch (error) {
        const again = error instanceof KilldrillError && error.code === 'STORE_UNREACHABLE';
        const tooLate = clock.nowNs() - requestedNs > INSIST_MS * 1e6;
        if (!again || tooLate) return { answer: null, error: messageOf(error), sentNs };
        await sleep(AGAIN_MS, signal);
      }
    }
  }
}

function targetOf({ scope, target }: { readonly scope: Flip['scope']; readonly target: string }): string {
  return scope === 'global' ? GLOBAL_TARGET : target;
}
