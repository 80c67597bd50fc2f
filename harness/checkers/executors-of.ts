import type { HistoryEvent } from '../history/event.ts';

/** One life of an executor's process. */
export interface ExecutorLife {
  readonly executor: string;
  readonly spawnedNs: number;
  /** When it said that it reads its bus; null when it never did. */
  readonly readyNs: number | null;
}

/** Every life of every executor, in order of spawning. */
export function executorLivesOf(events: readonly HistoryEvent[]): readonly ExecutorLife[] {
  const lives: { -readonly [K in keyof ExecutorLife]: ExecutorLife[K] }[] = [];
  for (const event of events) {
    if (event.type === 'executor.spawned') {
      lives.push({ executor: event.executor, spawnedNs: event.t0, readyNs: null });
    } else if (event.type === 'executor.ready') {
      const life = lives.findLast(({ executor }) => executor === event.executor);
      if (life !== undefined) life.readyNs ??= event.t1;
    }
  }
  return lives;
}

const WORDS = ['alert.read', 'alert.held', 'alert.answered'] as const;

/** What an executor said of one stop that an alert asks for. A claim, never a truth. */
export interface ExecutorWord {
  readonly executor: string;
  readonly word: (typeof WORDS)[number];
  readonly flipId: string;
  /** What the store answered, by its account; null for another word. */
  readonly kind: string | null;
  /** When the harness heard it. */
  readonly atNs: number;
}

/** What executors said of stops, in the order in which it was heard. */
export function executorWordsOf(events: readonly HistoryEvent[]): readonly ExecutorWord[] {
  return events.flatMap((event) => {
    if (event.type !== 'executor.said') return [];
    const { event: said, flipId, kind } = event.said;
    const word = WORDS.find((known) => known === said);
    if (word === undefined || typeof flipId !== 'string') return [];
    const { executor, t0: atNs } = event;
    return [{ executor, word, flipId, kind: typeof kind === 'string' ? kind : null, atNs }];
  });
}
