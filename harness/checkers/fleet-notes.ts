import type { HistoryEvent } from '../history/event.ts';
import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import type { Incarnation } from './workers-of.ts';

/** Lives that ended though nobody had asked them to, before the drill was over. */
export function endedAlone({ incarnations, phases }: DrillIndex): readonly Incarnation[] {
  const overNs = phases.get('stopping') ?? Number.POSITIVE_INFINITY;
  return [...incarnations.values()].filter(({ exit }) => exit !== null && !exit.expected && exit.t0 < overNs);
}

/** In words: who ended, when, how, and what it said last. */
export function endOf(index: DrillIndex, { worker, channel, exit }: Incarnation): string {
  const how = exit?.signal === null || exit === null ? `exit code ${exit?.code ?? 'unknown'}` : exit.signal;
  const when = ((exit === null ? 0 : sinceT0(index, exit.t0)) / 1_000).toFixed(1);
  const words = lastWordsOf(index.record.events, channel);
  const said = words === null ? 'it said nothing' : `the last that it said: ${words.split('\n').join(' / ')}`;
  return `${worker} ended by itself (${how}) ${when} s after traffic began; ${said}`;
}

function lastWordsOf(events: readonly HistoryEvent[], channel: number): string | null {
  const words = events.find((event) => event.type === 'worker.lastWords' && event.channel === channel);
  return words?.type === 'worker.lastWords' ? words.text : null;
}

/** What the fleet did to be named, whatever the verdict: it crashed, had to be killed, or left something behind. */
export function fleetNotes(index: DrillIndex): readonly string[] {
  const crashes = endedAlone(index).map((life) => endOf(index, life));
  const rest = index.record.events.flatMap((event): readonly string[] => {
    if (event.type === 'worker.forced')
      return [`${event.worker} ignored SIGTERM for ${(event.afterMs / 1_000).toFixed(0)} s and was killed`];
    if (event.type !== 'worker.leftBehind') return [];
    return [`${event.worker} left a process behind, which was killed: ${event.pid} ${event.command}`];
  });
  const more = rest.length - MOST;
  return [...crashes, ...rest.slice(0, MOST), ...(more > 0 ? [`and ${more} notes more of this kind`] : [])];
}

const MOST = 10;
