import type {
  FlipRecord,
  FlipSource,
  FlipsAnswer,
  Head,
  LoadAnswer,
  RelayAnswer,
  Subscription,
} from '../../src/store/store.ts';
import { ChainStore } from './chain-store.ts';
import { settled } from './manual-clock.ts';

interface Heard {
  readonly onFlip: (record: FlipRecord | null) => void;
  readonly lost: (error: Error) => void;
  closed: boolean;
}

/** A flip source over a chain, which does as the test says: fails, falls silent, or answers with something else. */
export class ScriptedSource implements FlipSource {
  readonly store = new ChainStore();
  readonly asked: string[] = [];
  readonly listeners: Heard[] = [];
  readonly failing = new Set<'load' | 'flipsAfter' | 'relay' | 'listen'>();
  /** Ids whose relay fails. */
  readonly refused = new Set<string>();
  /** Called while a listen is under way, before it is answered. */
  duringListen: (heard: Heard) => void = () => undefined;
  bend: (answer: FlipsAnswer) => FlipsAnswer = (answer) => answer;
  #silent: (() => void)[] | null = null;

  silence(): void {
    this.#silent = [];
  }

  async speak(): Promise<void> {
    const waiting = this.#silent ?? [];
    this.#silent = null;
    for (const answer of waiting) answer();
    await settled();
  }

  async #turn(what: 'load' | 'flipsAfter' | 'relay' | 'listen'): Promise<void> {
    this.asked.push(what);
    const silent = this.#silent;
    if (silent !== null) await new Promise<void>((resolve) => silent.push(resolve));
    if (this.failing.has(what)) throw new Error(`${what}: connection refused`);
  }

  async load(): Promise<LoadAnswer> {
    const answer = this.store.load();
    await this.#turn('load');
    return answer;
  }

  async flipsAfter(head: Head): Promise<FlipsAnswer> {
    const answer = this.bend(this.store.flipsAfter(head));
    await this.#turn('flipsAfter');
    return answer;
  }

  async relay(text: string): Promise<RelayAnswer> {
    await this.#turn('relay');
    for (const id of this.refused) if (text.includes(`"${id}"`)) throw new Error(`${id} is refused`);
    return this.store.relay(text);
  }

  async listen(onFlip: Heard['onFlip'], lost: Heard['lost']): Promise<Subscription> {
    await this.#turn('listen');
    const heard: Heard = { onFlip, lost, closed: false };
    this.listeners.push(heard);
    this.duringListen(heard);
    return {
      close: async () => {
        heard.closed = true;
        await Promise.resolve();
      },
    };
  }

  notify(record: FlipRecord | null): void {
    this.listeners.at(-1)?.onFlip(record);
  }
}
