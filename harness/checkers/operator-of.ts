import type { ActionFacts, EventOf, HistoryEvent } from '../history/event.ts';

/** One thing that the operator asked for, besides flips, and what became of it. */
export interface OperatorAction<K extends ActionFacts['kind']> {
  readonly asked: EventOf<'operator.asked'> & { readonly kind: K };
  /** Null when nobody knows. */
  readonly answered: EventOf<'operator.answered'> | null;
}

/** The operator's actions of one kind, in the order in which they were asked for. */
export function actionsOf<K extends ActionFacts['kind']>(
  events: readonly HistoryEvent[],
  kind: K,
): readonly OperatorAction<K>[] {
  const answers = new Map<number, EventOf<'operator.answered'>>();
  for (const event of events) if (event.type === 'operator.answered') answers.set(event.action, event);
  return events.flatMap((event) =>
    isAsked(event, kind) ? [{ asked: event, answered: answers.get(event.action) ?? null }] : [],
  );
}

function isAsked<K extends ActionFacts['kind']>(
  event: HistoryEvent,
  kind: K,
): event is EventOf<'operator.asked'> & { readonly kind: K } {
  return event.type === 'operator.asked' && event.kind === kind;
}
