import type { EventOf, FlipFacts } from '../history/event.ts';
import type { Flip } from '../../src/switch.ts';
import type { Answered } from './answered.ts';

/** What the history says of a flip. @param nth counts the flips and releases of the drill from 1 */
export function factsOf(nth: number, flip: Flip, expected: FlipFacts['expected']): FlipFacts {
  return {
    flip: nth,
    kind: flip.kind,
    scope: flip.scope,
    target: flip.target,
    mode: flip.kind === 'stop' ? flip.mode : null,
    queue: flip.kind === 'stop' ? flip.queue : null,
    engagements: flip.kind === 'release' ? flip.engagements : [],
    expected,
    id: flip.id,
  };
}

type Told = Pick<EventOf<'flip.answered'>, 'ok' | 'revision' | 'error' | 'provisional'> & { readonly id?: string };

/** What the history says of its answer. */
export function toldOf(answered: Answered): Told {
  switch (answered.kind) {
    case 'durable': {
      const { revision, id } = answered;
      return { ok: true, revision, error: null, ...(id === undefined ? {} : { id }) };
    }
    case 'provisional': {
      const { why, reached, kept } = answered;
      return { ok: true, revision: null, error: null, provisional: { why, reached, kept } };
    }
    case 'refused':
      return { ok: false, revision: null, error: answered.error };
    default:
      throw new TypeError(`unknown answer ${JSON.stringify(answered satisfies never)}`);
  }
}
