import { systemClock } from '../../../src/clock.ts';
import { followFlips } from '../../../src/control/follow-flips.ts';
import type { FlipNews } from '../../../src/control/follow-flips.ts';
import { KilldrillError } from '../../../src/errors.ts';
import { parseFlip } from '../../../src/flip-text.ts';
import { openFlipSource } from '../../../src/store/postgres/flip-source.ts';
import type { FlipRecord, FlipSource } from '../../../src/store/store.ts';
import { painter } from '../../report/paint.ts';
import type { Paint } from '../../report/paint.ts';
import { wrap } from '../../report/wrap.ts';
import { EXIT, InterruptedError } from '../exit.ts';
import { interruptible } from '../interrupt.ts';
import { databaseUrl, namespaceOf } from '../operator-connection.ts';
import type { StoreFlags } from '../operator-connection.ts';
import { data, mayColour, note } from '../output.ts';
import { usage } from '../usage.ts';
import { wholeNumber } from '../whole-number.ts';

export interface WatchFlags extends StoreFlags {
  readonly since?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const WIDTH = 80;
const INDENT = '    ';
/** A watcher does not wait long for a database that hangs: it says so, and tries again. */
const TIMINGS = { connectMs: 3_000, statementMs: 3_000, answerMs: 3_500 };
/** What no waiting mends; a watch that never saw anything ends with it. */
const HOPELESS: ReadonlySet<string> = new Set(['NAMESPACE_UNKNOWN', 'SCHEMA_VERSION', 'STORE_FORBIDDEN']);

/** `killdrill watch`: flips as they come, from the record, until Ctrl-C. */
export async function watch(flags: WatchFlags): Promise<number> {
  const since = flags.since === undefined ? null : wholeNumber('--since', flags.since, { min: 0, max: 2 ** 31 - 1 });
  const options = { connectionString: databaseUrl(flags), namespace: namespaceOf(flags), timings: TIMINGS };
  const source = openFlipSource(options);
  const interrupt = interruptible();
  try {
    await refuseHopeless(source, since);
    const paint = painter(mayColour(process.stdout) && flags.json !== true);
    const onNews = (news: FlipNews): void => tell(news, flags, paint);
    await followFlips({ source, clock: systemClock, since, onNews }, interrupt.signal);
    const reason: unknown = interrupt.signal.reason;
    return reason instanceof InterruptedError ? reason.exitCode : EXIT.interrupted;
  } finally {
    interrupt.dispose();
    await source.close();
  }
}

/** A store that is away is waited for; one that will never let us is not. */
async function refuseHopeless(source: FlipSource, since: number | null): Promise<void> {
  let revision: number;
  try {
    ({ revision } = (await source.load()).head);
  } catch (thrown) {
    if (thrown instanceof KilldrillError && HOPELESS.has(thrown.code)) throw thrown;
    return;
  }
  // It would show nothing, and look as if nothing happened.
  if (since !== null && since > revision) throw usage(`--since is ${since}, but the record is at revision ${revision}`);
}

function tell(news: FlipNews, { json = false, quiet = false, since }: WatchFlags, paint: Paint): void {
  const say = (sentence: string): void => {
    if (!quiet) note(wrap(sentence, WIDTH).join('\n'));
  };
  switch (news.kind) {
    case 'flip':
      return data(json ? jsonOf(news.record) : linesOf(news.record, paint));
    case 'away':
      return say(`the store is away (${news.why}); what is stopped meanwhile is not seen here`);
    case 'back':
      return say('the store is back; nothing that it has taken is left out');
    case 'loaded': {
      const { head, open } = news.load;
      if (news.why === 'diverged') say('the store is another than before: flips that were shown may be no more');
      say(`at revision ${head.revision}, ${open.length} engagements are open`);
      // With --since they come by themselves.
      if (since !== undefined && news.why === 'start') return;
      for (const record of open) data(json ? jsonOf(record) : linesOf(record, paint));
    }
  }
}

function jsonOf(record: FlipRecord): string {
  const { text, ...rest } = record;
  return JSON.stringify({ ...rest, flip: parseFlip(text) });
}

function linesOf({ revision, text }: FlipRecord, paint: Paint): string {
  const flip = parseFlip(text);
  const at = flip.at.slice(0, 19).replace('T', ' ');
  const isStop = flip.kind === 'stop';
  const what = isStop
    ? `STOP ${flip.scope}:${flip.target} ${flip.mode} ${flip.queue}`
    : `RELEASE ${flip.scope}:${flip.target}`;
  const ids = isStop ? `engagement ${flip.id}` : `closes ${flip.engagements.join(', ')}`;
  const [first = '', ...others] = wrap(`${revision} ${at} ${what}`, WIDTH);
  const below = [...others, ...wrap(`${flip.triggeredBy}: ${flip.reason}`, WIDTH - 4), ...wrap(ids, WIDTH - 4)];
  return [paint(first, isStop ? 'red' : 'green'), ...below.map((line) => `${INDENT}${line}`)].join('\n');
}
