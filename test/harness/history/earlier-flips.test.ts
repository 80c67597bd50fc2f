import { describe, expect, it } from 'vitest';
import { withWholeFlips } from '../../../harness/history/earlier-flips.ts';
import type { HistoryEvent } from '../../../harness/history/event.ts';
import { STOP_ID, cleanDrill } from '../checkers/clean-drill.ts';
import { recordOf } from '../checkers/history-builder.ts';

const { events } = recordOf(cleanDrill());

/** As the first histories were written: of a flip neither its queue, nor its engagements, nor what was expected. */
function early(all: readonly HistoryEvent[]): readonly HistoryEvent[] {
  return all.map((event) => {
    if (event.type !== 'flip.requested' && event.type !== 'flip.answered') return event;
    const { queue: _, engagements: __, expected: ___, ...rest } = event;
    return rest as unknown as HistoryEvent;
  });
}

describe('withWholeFlips', () => {
  it('reads what early histories leave out from the text that the store kept', () => {
    expect(early(events)).not.toEqual(events);
    expect(withWholeFlips(early(events))).toEqual(events);
  });

  it('takes a release without a text for one of what was stopped there before', () => {
    const noStore = early(events.filter(({ type }) => type !== 'store.flip'));
    const released = withWholeFlips(noStore).find(
      (event) => event.type === 'flip.requested' && event.kind === 'release',
    );
    expect(released).toMatchObject({ engagements: [STOP_ID], expected: 'taken' });
  });

  it('leaves later histories as they are', () => {
    expect(withWholeFlips(events)).toBe(events);
  });
});
