import { FLEET_DETECTOR } from '../conductor/drill-keys.ts';
import { acknowledged } from './alerts-of.ts';
import type { DrillAlert } from './alerts-of.ts';
import type { ExecutorWord } from './executors-of.ts';
import type { DrillIndex } from './index-of.ts';

/** One thing that happened, at an instant of the drill. */
interface Happening {
  readonly name: string;
  readonly ns: number;
}

/** The way of each alert that asks for a stop of the timeline as far as an executor, and the edges of what else was published. */
export function alertMilestones(index: DrillIndex): readonly Happening[] {
  const asking = index.alerts.published.filter(({ flip }) => flip !== null);
  return [...asking.flatMap((alert) => wayOf(index, alert)), ...edgesOfStorm(index)];
}

/** What an executor says is its own word: nobody else sees what it has read, or enforces. */
function wayOf({ executorWords }: DrillIndex, alert: DrillAlert): readonly Happening[] {
  const { scope, target, publishedNs, sentNs, acknowledgedNs, flipId, detector } = alert;
  const on = scope === 'global' ? 'global' : `${scope ?? ''}:${target ?? ''}`;
  const heard = executorWords.filter((word) => word.flipId === flipId);
  const read = heard.find(({ word }) => word === 'alert.read');
  const enforced = heard.find(isEnforced);
  return [
    detector === FLEET_DETECTOR
      ? { name: `alert on ${on} raised, by a worker's own word`, ns: sentNs }
      : { name: `alert on ${on} published`, ns: publishedNs },
    ...(acknowledgedNs === null ? [] : [{ name: `alert on ${on} acknowledged by the bus`, ns: acknowledgedNs }]),
    ...(read === undefined ? [] : [{ name: `alert on ${on} read, by ${read.executor}'s own word`, ns: read.atNs }]),
    ...(enforced === undefined
      ? []
      : [{ name: `stop of ${on} enforced locally, by ${enforced.executor}'s own word`, ns: enforced.atNs }]),
  ];
}

/** Held before the store had answered, or answered as a stop: from either on it enforces it. */
function isEnforced({ word, kind }: ExecutorWord): boolean {
  return word === 'alert.held' || (word === 'alert.answered' && (kind === 'flip' || kind === 'duplicate'));
}

function edgesOfStorm({ alerts }: DrillIndex): readonly Happening[] {
  const isOther = ({ flip, detector }: DrillAlert): boolean => flip === null && detector !== FLEET_DETECTOR;
  const storm = alerts.published.filter(isOther);
  const taken = acknowledged(alerts).filter(isOther);
  if (storm.length === 0) return [];
  const first = {
    name: `first of ${storm.length} other alerts published`,
    ns: Math.min(...storm.map(({ publishedNs }) => publishedNs)),
  };
  if (taken.length === 0) return [first];
  const lastNs = Math.max(...taken.map(({ acknowledgedNs }) => acknowledgedNs));
  return [first, { name: `last of ${taken.length} other alerts acknowledged by the bus`, ns: lastNs }];
}
