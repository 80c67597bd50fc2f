import type { FleetPicture, StopProgress, WorkerRow } from './fleet-picture.ts';
import { escaped, rowOfCells, tableOf } from './html-text.ts';

const COLUMNS = ['worker', 'state', 'pool', 'version', 'revision', 'seen', 'in flight', 'open stops'] as const;

/** The workers, and how each stands to the stops that are open. */
export function fleetSection({ unseen, workers, hidden }: FleetPicture): string {
  const why = unseen === null ? '' : `NOT SEEN NOW: ${unseen}`;
  return `<h2>Workers</h2>
<p id="fleet-why" class="bad">${escaped(why)}</p>
<p id="fleet-count">${escaped(countWords(workers.length, hidden))}</p>
${tableOf('workers', COLUMNS, workers.map(workerRow))}`;
}

/** When a stop was last proven to reach every worker. */
export function provenLine({ proven }: FleetPicture): string {
  if (proven === null) return '<p id="proven"></p>';
  return `<p id="proven" class="${proven.isGood ? 'good' : 'bad'}">${escaped(proven.text)}</p>`;
}

/** How far a stop has come, in one cell. */
export function progressText(progress: StopProgress | undefined): string {
  if (progress === undefined) return 'not looked at';
  const { state, confirmed, fenced, unconfirmed, missing } = progress;
  const counts = `${confirmed} confirmed, ${fenced} fenced, ${unconfirmed} unconfirmed`;
  return [`${state === 'effective' ? 'EFFECTIVE' : state}: ${counts}`, ...missing].join('; ');
}

function countWords(shown: number, hidden: number): string {
  if (shown === 0) return 'No worker has registered.';
  return hidden === 0 ? `${shown} registered` : `${shown} shown, and ${hidden} more`;
}

function workerRow({
  worker,
  incarnation,
  pool,
  version,
  state,
  applied,
  seenAgoMs,
  inFlight,
  stops,
}: WorkerRow): string {
  const seen = seenAgoMs === null ? 'never' : `${(seenAgoMs / 1_000).toFixed(1)} s ago`;
  const standings = stops.map((one) => `${one.on}: ${one.state}`).join(', ');
  const texts = [worker, state, pool, version ?? '-', String(applied ?? '-'), seen, String(inFlight), standings || '-'];
  return rowOfCells(incarnation, COLUMNS, texts.map(escaped));
}
