import type { EventOf } from '../history/event.ts';
import type { Finding } from './checker.ts';
import { fail, inconclusive, pass } from './finding.ts';
import { indexOf, sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import type { DrillRecord } from '../drill/drill.ts';

/**
 * Of a fleet with a switch of its own that can be asked: whether it says of each flip that it took what the drill knows. Null
 * where nobody can ask it.
 */
export function leverRecord(record: DrillRecord): Finding | null {
  const index = indexOf(record);
  if (index.scenario.fleet.levers?.status === null) return null;
  const asked = record.events.filter((event): event is EventOf<'lever.status'> => event.type === 'lever.status');
  const wrong = asked.find(({ said, expected }) => said !== null && said !== expected);
  if (wrong !== undefined) return contradiction(index, wrong);
  const mute = asked.find(({ said }) => said === null);
  const evidence = { asked: asked.length };
  if (mute !== undefined) return inconclusive("the switch's own word", mute.error ?? 'it said nothing', evidence);
  if (asked.length === 0) return inconclusive("the switch's own word", 'no flip was taken, so it was not asked');
  return pass(`asked ${asked.length} times, the fleet's own switch named the mode that the drill had it in`, evidence);
}

function contradiction(index: DrillIndex, answer: EventOf<'lever.status'>): Finding {
  const { flip, moment, scope, target, expected, said, t1 } = answer;
  const on = scope === 'global' ? scope : `${scope}:${target}`;
  const when = moment === 'after' ? 'right after it had taken the flip' : 'while the stop was still to be on';
  return fail(
    `asked ${when}, the fleet's own switch said that ${on} is '${said ?? ''}'; '${expected}' is what it had taken`,
    {
      ...{ flip, scope: on, moment, expected, said, atMs: sinceT0(index, t1) },
    },
  );
}
