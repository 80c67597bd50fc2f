import { KilldrillError, messageOf } from '../../errors.ts';
import type { Asker, LedgerEntry, OperatorStore, ResumeAnswer, ResumeStaging, ResumeWhich } from '../store.ts';
import type { Opened } from './flip-source.ts';
import { resolveStoreOptions } from './options.ts';
import type { StoreOptions } from './options.ts';
import { Session } from './session.ts';

/** Intents that one page of the ledger looks at; well within the time of one statement. */
const PAGE = 5_000;
/** Tasks that come back in one statement: a stop waits no longer for a resume than for these. */
const BATCH = 250;

/** The way back; its login role needs `killdrill_flipper`. Each request is on record, refused or not. */
export function openOperatorStore(options: StoreOptions): Opened<OperatorStore> {
  const resolved = resolveStoreOptions(options);
  const { namespace } = resolved;
  const session = new Session('operator', resolved);
  const call = <T>(operation: string, ...values: readonly unknown[]): Promise<T> =>
    session.call(operation, [namespace, ...values.map(storable)]);
  return {
    setCritical: async (rules, asker) => call('set_critical', JSON.stringify(rules), ...named(asker)),
    declareContract: async (contract, asker) => call('declare_contract', JSON.stringify(contract), ...named(asker)),
    redReasons: (engagements) => call('red_reasons', engagements.map(storable)),
    resume: (which, staging, asker) => resumeInBatches(call, which, staging, asker),
    ledger: (afterRevision) => readPages(call, afterRevision),
    admitCompensation: ({ incarnation, seq }, capability, asker) =>
      call('admit_compensation', incarnation, String(seq), capability, ...named(asker)),
    closeCompensation: async (id, outcome, detail) => call('close_compensation', id, outcome, detail),
    close: () => session.close(),
  };
}

type Call = <T>(operation: string, ...values: readonly unknown[]) => Promise<T>;

/** What the next batch needs to go on where this one ended; the store's own. */
type Progress = Readonly<Record<string, unknown>>;

type Batch = ResumeAnswer & { readonly progress: Progress; readonly more: boolean };

/** Each batch is a request of its own on record, so that one which is cut off in the middle shows how far it came. */
async function resumeInBatches(
  call: Call,
  which: ResumeWhich,
  staging: ResumeStaging,
  asker: Asker,
): Promise<ResumeAnswer> {
  const request = [JSON.stringify(which, (_, value: unknown) => storable(value)), JSON.stringify(staging)];
  const runs = new Set<string>();
  let [tasks, parked, lastDueInMs] = [0, 0, 0];
  let progress: Progress | null = null;
  for (;;) {
    const asked: string | null = progress === null ? null : JSON.stringify(progress);
    const batch: Batch = await call<Batch>('resume', ...request, ...named(asker), asked, BATCH).catch(
      (thrown: unknown) => {
        throw tasks === 0 ? thrown : cutOff(thrown, tasks);
      },
    );
    tasks += batch.tasks;
    parked += batch.parked;
    lastDueInMs = Math.max(lastDueInMs, batch.lastDueInMs);
    for (const run of batch.runs) runs.add(run);
    if (!batch.more) return { tasks, runs: [...runs].sort(), lastDueInMs, parked };
    progress = batch.progress;
  }
}

function cutOff(thrown: unknown, tasks: number): KilldrillError {
  const code = thrown instanceof KilldrillError ? thrown.code : 'STORE_ERROR';
  const sentence = `the resume was cut off after ${tasks} tasks (${messageOf(thrown)}); ask again for what is still discarded`;
  return new KilldrillError(code, sentence, { cause: thrown });
}

async function readPages(call: Call, afterRevision: number | null): Promise<readonly LedgerEntry[]> {
  type Place = { readonly incarnation: string; readonly seq: number };
  type Page = { readonly entries: readonly LedgerEntry[]; readonly next: Place | null; readonly more: boolean };
  const entries: LedgerEntry[] = [];
  let from: Place = { incarnation: '', seq: 0 };
  for (;;) {
    const page: Page = await call('ledger', afterRevision, from.incarnation, from.seq, PAGE);
    for (const entry of page.entries) entries.push(entry);
    if (!page.more || page.next === null) return entries.sort(asJournaled);
    from = page.next;
  }
}

function asJournaled(one: LedgerEntry, other: LedgerEntry): number {
  return (
    one.afterRevision - other.afterRevision ||
    compare(one.at, other.at) ||
    compare(one.incarnation, other.incarnation) ||
    one.seq - other.seq
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

function named({ by, reason }: Asker): readonly [string, string] {
  return [by, reason];
}

/** PostgreSQL keeps no NUL and no half of a surrogate pair. A request with one is to be answered and recorded like any other. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll(/[\0\p{Cs}]/gu, '\uFFFD') : value;
}
