import type { Flip } from '../../src/switch.ts';
import type { FlipFacts } from '../history/event.ts';

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
