import type { Outcome, OutcomeSink } from '../store.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** Outcomes on a connection of their own, never judged by the fence. */
export function openOutcomeSink(options: StoreOptions): Opened<OutcomeSink> {
  const resolved = resolveStoreOptions(options);
  const session = new Session('outcomes', resolved);
  return {
    record: (incarnation, outcomes) =>
      session.call('record_outcomes', [resolved.namespace, incarnation, ...columns(outcomes)]),
    close: () => session.close(),
  };
}

function columns(outcomes: readonly Outcome[]): readonly unknown[] {
  return [
    outcomes.map((outcome) => outcome.seq),
    outcomes.map((outcome) => outcome.kind),
    outcomes.map((outcome) => outcome.detail),
  ];
}
