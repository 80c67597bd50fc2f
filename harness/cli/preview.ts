import { systemClock } from '../../src/clock.ts';
import { previewStop } from '../../src/control/preview.ts';
import { openPreviewStore } from '../../src/store/postgres/preview-store.ts';
import type { StopHits, StopPreview } from '../../src/store/preview-port.ts';
import type { StopFlip } from '../../src/switch.ts';
import { table } from '../report/table.ts';
import { wrap } from '../report/wrap.ts';
import { EXIT } from './exit.ts';
import { databaseUrl } from './operator-connection.ts';
import type { StoreFlags } from './operator-connection.ts';
import { data } from './output.ts';

const WIDTH = 80;
const TIMINGS = { connectMs: 2_000, statementMs: 3_000, answerMs: 3_500 };
const BOUND_MS = 6_000;

/** `killdrill halt --preview`: what the stop would hit, and what narrower ones would. Nothing is stopped. */
export async function preview(
  stop: Omit<StopFlip, 'id'>,
  flags: StoreFlags & { readonly json?: boolean },
): Promise<number> {
  const { namespace, scope, target, mode } = stop;
  const store = openPreviewStore({ connectionString: databaseUrl(flags), namespace, timings: TIMINGS });
  try {
    const previewed = await previewStop({ store, clock: systemClock, boundMs: BOUND_MS }, { scope, target }, mode);
    if (flags.json === true) data(JSON.stringify({ namespace, scope, target, mode, ...previewed }));
    else if (previewed.kind === 'unseen') {
      const sentence = `what it would hit cannot be seen (${previewed.why}); the stop itself does not need this: halt without --preview`;
      data(wrap(sentence, WIDTH).join('\n'));
    } else data(pageOf(stop, previewed.preview));
    return previewed.kind === 'seen' ? EXIT.pass : EXIT.error;
  } finally {
    await store.close();
  }
}

function pageOf(stop: Omit<StopFlip, 'id'>, found: StopPreview): string {
  const { scope, target, mode, queue } = stop;
  const words = [
    `${mode} of ${scope}:${target} would hit, at revision ${found.head.revision}:`,
    ...hitLines(found.hits, queue).map((line) => `  ${line}`),
  ];
  if (found.passes > 0) words.push(`  and ${found.passes} that it covers would pass, since they are critical`);
  if (found.alreadyOpen > 0) words.push(`already open on this or on everything: ${found.alreadyOpen} engagements`);
  const text = words.flatMap((line) => wrapped(line)).join('\n');
  if (found.narrower.length === 0) return `${text}\nNothing is stopped: this was a preview.`;
  return `${text}\n\nNarrower stops, the smallest that is enough first:\n${narrowerTable(found)}\nNothing is stopped: this was a preview.`;
}

function wrapped(line: string): readonly string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  return wrap(line.trim(), WIDTH - indent.length).map((part) => `${indent}${part}`);
}

const QUEUE_WORDS = { discard: 'discarded', park: 'parked', drain: 'drained first' } as const;

function hitLines(hits: StopHits, queue: StopFlip['queue']): readonly string[] {
  return [
    `${hits.runs} runs, on ${hits.workers} workers`,
    `${hits.inFlight} calls in flight, ${hits.writesInFlight} of them writes: aborted`,
    `${hits.queued} queued tasks (${hits.timers} timers, ${hits.retries} retries): ${QUEUE_WORDS[queue]}`,
    `${hits.running} running tasks; ${hits.parked} that another stop holds already`,
    ...(hits.overdue === 0
      ? []
      : [`${hits.overdue} calls have no outcome and are past their deadline: no stop reaches these`]),
  ];
}

function narrowerTable({ narrower, items }: StopPreview): string {
  const rows = narrower.map(({ scope, target, items: its, hits }) => [
    `${scope} ${target}`,
    `${Math.floor((its / items) * 100)} %`,
    String(hits.runs),
    String(hits.inFlight),
    String(hits.queued),
  ]);
  return table(
    [
      { title: 'halt', width: 35 },
      { title: 'of it', width: 6, align: 'right' },
      { title: 'runs', width: 7, align: 'right' },
      { title: 'calls', width: 6, align: 'right' },
      { title: 'queued', width: 7, align: 'right' },
    ],
    rows,
  );
}
