import { ageText } from '../../src/control/age-text.ts';
import { isGone } from '../../src/control/present-workers.ts';
import type { StopState } from '../../src/control/effectiveness.ts';
import type { FleetFacts, RegisteredWorker } from '../../src/store/effectiveness-port.ts';
import type { OpenEngagement } from '../../src/store/store.ts';
import { table } from '../report/table.ts';
import { printable, wrap } from '../report/wrap.ts';
import { unaccountedSentences } from './unaccounted.ts';

/** Everything that `killdrill status` shows. */
export interface Status extends FleetFacts {
  readonly namespace: string;
  readonly stops: readonly (StopState & Pick<OpenEngagement, 'flip'>)[];
  /** Since every worker that is there last refused a canary, milliseconds; null when one of them never has, or `short`. */
  readonly lastProvenMs: number | null;
  /** Names of workers of which nobody has heard for several leases. */
  readonly gone: readonly string[];
  /** Pools that have not all the workers that were declared, a clause each. */
  readonly short: readonly string[];
}

/** Apart from those that report, since nothing can be asked of them. */
export function goneSentences(gone: readonly string[]): readonly string[] {
  if (gone.length === 0) return [];
  return [`gone, not heard of for four leases and a second, so that they may begin nothing: ${gone.join(', ')}`];
}

/** Columns of a terminal that everybody has. */
const WIDTH = 80;

/** What an operator sees: stops first, each with its workers; then who is there. */
export function statusText(status: Status): string {
  const { namespace, head, stops, inventory, elsewhere } = status;
  const workers = status.workers.filter((one) => !isGone(one));
  const lines = [
    `namespace '${namespace}' at revision ${head.revision}: ${stops.length} open stops, ${workers.length} workers`,
    provenWords(status),
    ...goneSentences(status.gone),
    ...(inventory === null
      ? ['no inventory is declared: no stop can be called effective (killdrill migrate --expected)']
      : []),
    ...elsewhere.map(
      ({ worker, pool, namespace: other }) => `worker ${worker} (pool ${pool}) is of namespace '${other}'`,
    ),
  ];
  const parts = [...lines.flatMap((line) => wrap(line, WIDTH)), ...stops.map(stopText)];
  if (workers.length > 0) parts.push(workerTable(workers));
  return parts.join('\n');
}

function provenWords({ lastProvenMs, short }: Status): string {
  if (short.length > 0) return `not proven able to halt: the declared inventory is not met: ${short.join(', ')}`;
  if (lastProvenMs === null)
    return 'not proven able to halt: no canary was refused by all of them (killdrill status --prove)';
  return `last proven able to halt ${ageText(lastProvenMs)} ago`;
}

function stopText({
  id,
  revision,
  state,
  workers,
  missing,
  unaccounted,
  excepted,
  flip,
}: Status['stops'][number]): string {
  const how = flip.kind === 'stop' ? ` ${flip.mode}, queue ${flip.queue}` : '';
  const title = `\n${state.toUpperCase()}  ${flip.scope}:${flip.target}${how}, revision ${revision}, by ${flip.triggeredBy}: ${flip.reason}`;
  const rows = workers.map((one) => [one.worker, one.state, one.why]);
  const drawn = table(
    [
      { title: 'worker', width: 18 },
      { title: 'state', width: 11 },
      { title: 'why', width: 38 },
    ],
    rows,
    { isCompact: true },
  );
  return [
    ...wrap(title.trimStart(), WIDTH),
    `  id ${printable(id)}`,
    ...(workers.length === 0 ? [] : [drawn]),
    ...(state === 'pending' ? missing.flatMap((one) => wrap(`  waits: ${one}`, WIDTH)) : []),
    ...unaccountedSentences(unaccounted).flatMap((one) => wrap(`  ${one}`, WIDTH)),
    ...(state === 'effective' ? wrap(`  ${excepted}`, WIDTH) : []),
  ].join('\n');
}

function workerTable(workers: readonly RegisteredWorker[]): string {
  const rows = workers.map((one) => [
    one.worker,
    one.pool,
    one.version ?? '',
    one.appliedThrough === null ? '-' : String(one.appliedThrough),
    one.reportedAgoMs === null ? 'never' : ageText(one.reportedAgoMs),
    String(one.inFlight),
    one.canary === null ? 'never' : ageText(one.canary.agoMs),
  ]);
  return table(
    [
      { title: 'worker', width: 18 },
      { title: 'pool', width: 8 },
      { title: 'version', width: 7 },
      { title: 'applied', width: 7, align: 'right' },
      { title: 'report', width: 6, align: 'right' },
      { title: 'calls', width: 5, align: 'right' },
      { title: 'canary', width: 6, align: 'right' },
    ],
    rows,
    { isCompact: true },
  );
}
