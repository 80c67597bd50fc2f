import { resume as resumeTasks } from '../../../src/control/resume.ts';
import type { ResumeRequest } from '../../../src/control/resume.ts';
import type { ResumeAnswer } from '../../../src/store/store.ts';
import { printable } from '../../report/wrap.ts';
import { formatDuration, parseDuration, parseRate } from '../../scenario/quantity.ts';
import { confirmed } from '../confirm.ts';
import { EXIT } from '../exit.ts';
import { askerName, namespaceOf, reasonOf, withOperator } from '../operator-connection.ts';
import type { AskerFlags, StoreFlags } from '../operator-connection.ts';
import { data } from '../output.ts';
import { usage } from '../usage.ts';

export interface ResumeFlags extends StoreFlags, AskerFlags {
  readonly tenant?: string;
  readonly allDiscarded?: boolean;
  readonly rate?: string;
  readonly tenantsEvery?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `killdrill resume`: brings back what was discarded, at once, at a rate, or one tenant after another. */
export async function resume(runs: readonly string[], flags: ResumeFlags): Promise<number> {
  const request: ResumeRequest = {
    ...{ runs, by: askerName(flags), reason: reasonOf(flags) },
    ...(flags.tenant === undefined ? {} : { tenant: flags.tenant }),
    ...(flags.allDiscarded === undefined ? {} : { allDiscarded: flags.allDiscarded }),
    ...(flags.rate === undefined ? {} : { tasksPerSecond: rateOf(flags.rate) }),
    ...(flags.tenantsEvery === undefined ? {} : { tenantsEveryMs: pauseOf(flags.tenantsEvery) }),
  };
  if (flags.yes !== true)
    await confirmed(`This brings back ${whichWords(runs, flags)} in namespace '${namespaceOf(flags)}'.`, 'resume');
  const answer = await withOperator(flags, ({ operator }) => resumeTasks(operator, request));
  data(flags.json === true ? JSON.stringify(answer) : printable(sentenceOf(answer)));
  return EXIT.pass;
}

function whichWords(runs: readonly string[], { tenant, allDiscarded }: ResumeFlags): string {
  if (allDiscarded === true) return 'everything that was discarded';
  return tenant === undefined ? `what was discarded of ${runs.length} runs` : `everything of tenant ${tenant}`;
}

function sentenceOf({ tasks, runs, parked, lastDueInMs }: ResumeAnswer): string {
  if (tasks === 0) return 'nothing was discarded there; nothing is resumed';
  const held = parked === 0 ? '' : `; ${parked} of them are parked, since a stop that is open covers them`;
  const last = lastDueInMs < 1 ? 'due now' : `the last is due in ${formatDuration(roughly(lastDueInMs))}`;
  return `resumed ${tasks} tasks of ${runs.length} runs, ${last}${held}`;
}

/** Whole seconds, once it takes many. */
function roughly(ms: number): number {
  return ms < 10_000 ? Math.ceil(ms) : Math.ceil(ms / 1_000) * 1_000;
}

function rateOf(text: string): number {
  const rate = parseRate(text);
  if (rate === null || rate === 0) throw usage(`--rate is '${text}'; expected tasks a second, such as 50/s`);
  return rate;
}

function pauseOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw usage(`--tenants-every is '${text}'; expected a time, such as 5s`);
  return ms;
}
