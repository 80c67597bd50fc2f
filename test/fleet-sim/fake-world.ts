import { EffectFailedError } from '../../src/call.ts';
import type { SpawnedRun, WorkItem } from '../../fleet-sim/world-client.ts';
import { NotNowError } from '../../fleet-sim/world-client.ts';

/** What becomes of an effect; `land` for all that nothing was said about. */
export type Fare = 'land' | 'not-now' | 'fail' | 'break' | 'hold' | 'hold-deaf';

interface HeldCall {
  readonly land: () => void;
  readonly cut: (error: Error) => void;
}

/** The world as an agent sees it, in this process: it does to each key what the test says, and notes what came. */
export class FakeWorld {
  /** Keys in the order of their arrival, with `spawn ` before those of children. */
  readonly sent: string[] = [];
  readonly fares = new Map<string, Fare[]>();
  readonly children = new Map<string, SpawnedRun>();
  readonly #held = new Map<string, HeldCall>();
  readonly #work: WorkItem[] = [];
  #wake: (() => void) | null = null;

  /** Says how the next attempts at a key fare, one after another; then it lands. */
  fare(key: string, ...fares: readonly Fare[]): void {
    this.fares.set(key, [...fares]);
  }

  /** Keys of the calls that are held now. */
  get held(): readonly string[] {
    return [...this.#held.keys()];
  }

  land(key: string): void {
    this.#held.get(key)?.land();
  }

  /** A run becomes due. */
  hand(item: WorkItem): void {
    this.#work.push(item);
    this.#wake?.();
  }

  sendEffect(effect: { idempotencyKey: string; signal?: AbortSignal }): Promise<void> {
    return this.#arrive(effect.idempotencyKey, effect.idempotencyKey, effect.signal);
  }

  async spawn(wish: { idempotencyKey: string; signal?: AbortSignal }): Promise<SpawnedRun> {
    await this.#arrive(`spawn ${wish.idempotencyKey}`, wish.idempotencyKey, wish.signal);
    const child = this.children.get(wish.idempotencyKey);
    if (child === undefined) throw new EffectFailedError(`no child is planned for ${wish.idempotencyKey}`);
    return child;
  }

  nextWork(signal: AbortSignal, onSent: () => void): Promise<WorkItem | null> {
    onSent();
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const next = this.#work.shift();
        this.#wake = next === undefined ? look : null;
        if (next !== undefined) resolve(next);
      };
      signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      look();
    });
  }

  close(): void {
    for (const call of [...this.#held.values()]) call.cut(new Error('socket hang up'));
  }

  #arrive(said: string, key: string, signal: AbortSignal | undefined): Promise<void> {
    this.sent.push(said);
    const fare = this.fares.get(key)?.shift() ?? 'land';
    switch (fare) {
      case 'land':
        return Promise.resolve();
      case 'not-now':
        return Promise.reject(new NotNowError('the world answered 503'));
      case 'fail':
        return Promise.reject(new EffectFailedError('the world answered 404'));
      case 'break':
        return Promise.reject(new Error('socket hang up'));
      case 'hold':
        return this.#hold(key, signal);
      case 'hold-deaf':
        return this.#hold(key, undefined);
      default:
        throw new Error(`no such fare: ${String(fare satisfies never)}`);
    }
  }

  #hold(key: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#held.set(key, { land: resolve, cut: reject });
      signal?.addEventListener('abort', () => reject(new Error('the connection was closed')), { once: true });
    }).finally(() => this.#held.delete(key));
  }
}
