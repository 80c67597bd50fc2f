import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { KilldrillError, messageOf } from '../../../src/errors.ts';
import { runDrill } from '../../drill/run-drill.ts';
import { withEnvironment } from '../../drill/with-environment.ts';
import type { Ground } from '../../drill/with-environment.ts';
import { cutTrace } from '../../regression/cut-trace.ts';
import { failingOf } from '../../replay/candidate.ts';
import { VERIFY_DRILLS, findSmallest } from '../../replay/find-smallest.ts';
import type { Drilled, Found, HeldDrill, SmallDrill } from '../../replay/find-smallest.ts';
import { readReplaySubject } from '../../replay/replay-subject.ts';
import type { ReplaySubject } from '../../replay/replay-subject.ts';
import { makeSmallestFolder, writeSmallest } from '../../replay/write-smallest.ts';
import { endLines, sizeOf, sizeSentence, stepLine } from '../../report/smallest-lines.ts';
import { shellWord } from '../../report/shell-command.ts';
import { wrap } from '../../report/wrap.ts';
import { formatDuration, parseDuration } from '../../scenario/quantity.ts';
import type { DrillPlan } from '../../traffic/plan-drill.ts';
import type { DrillFlags } from '../drill-flags.ts';
import { environmentFor } from '../environment-for.ts';
import { EXIT } from '../exit.ts';
import { forgetPostgresVariables } from '../forget-postgres-variables.ts';
import { interruptible } from '../interrupt.ts';
import { liveProgress } from '../live-progress.ts';
import { data, note } from '../output.ts';
import { DEFAULT_FOR, DEFAULT_TRIES } from '../defaults.ts';
import { prepareInto, prepareOut } from '../prepare-out.ts';
import { shortest } from '../shortest.ts';
import { usage } from '../usage.ts';
import { wholeNumber } from '../whole-number.ts';
import { announce, drillOn } from './replay.ts';

export interface MinimiseFlags extends DrillFlags {
  readonly tries?: string;
  readonly for?: string;
  readonly into?: string;
}

const WIDTH = 80;
const MOST_TRIES = 1_000;
const LONGEST_MS = 24 * 3_600_000;

/** What is asked, with its defaults. */
interface Asked {
  readonly flags: MinimiseFlags;
  readonly subject: ReplaySubject;
  readonly plan: DrillPlan;
  readonly tries: number;
  readonly forMs: number;
  readonly signal: AbortSignal;
}

/**
 * `killdrill replay BUNDLE --minimise`: drops what a stored run showed its verdict without, by drilling, and prints the smallest
 * scenario. Ctrl-C keeps and prints the smallest so far. The exit code is that of the smallest one's verdict.
 */
export async function minimise(folder: string, flags: MinimiseFlags): Promise<number> {
  const limits = limitsOf(flags);
  const subject = await readReplaySubject(folder);
  refuseUndecided(subject);
  prepareOut(flags.out);
  if (flags.into !== undefined) prepareInto(flags.into);
  forgetPostgresVariables(process.env);
  const { stored } = subject;
  const plan = stored === null ? subject.plan : { ...subject.plan, trace: cutTrace(stored) };
  const { signal, dispose } = interruptible();
  const asked: Asked = { flags, subject, plan, ...limits, signal };
  try {
    return await handOver(await searched(asked), asked);
  } finally {
    dispose();
  }
}

async function searched(asked: Asked): Promise<Found> {
  const { flags, subject, signal } = asked;
  let sofar: HeldDrill | null = null;
  try {
    return await withEnvironment(environmentFor([subject.plan.scenario], flags.environment), signal, (ground) =>
      searchOn(ground, asked, (smallest) => (sofar = smallest)),
    );
  } catch (error) {
    if (signal.aborted) await keepSofar(sofar, asked);
    throw error;
  }
}

function limitsOf({ tries, for: time, reporter }: MinimiseFlags): { tries: number; forMs: number } {
  if (reporter.length > 0) throw usage('--reporter tells of one drill, and --minimise runs many; leave it out');
  const forMs = parseDuration(time ?? DEFAULT_FOR);
  if (forMs === null || forMs <= 0 || forMs > LONGEST_MS)
    throw usage(`--for is '${time}'; expected a time up to ${formatDuration(LONGEST_MS)}, such as 10m or 90s`);
  return { tries: wholeNumber('--tries', tries ?? String(DEFAULT_TRIES), { min: 1, max: MOST_TRIES }), forMs };
}

/** What showed nothing shows nothing with less, too. */
function refuseUndecided({ folder, kept: { verdict } }: ReplaySubject): void {
  if (verdict === 'pass' || verdict === 'fail') return;
  throw usage(
    `the verdict of ${folder} is ${verdict}, and anything smaller would be so, too; expected a run that passed or failed`,
  );
}

async function searchOn(
  ground: Ground,
  { flags, subject, plan, tries, forMs, signal }: Asked,
  onSofar: (smallest: HeldDrill | null) => void,
): Promise<Found> {
  const say = flags.quiet === true ? () => undefined : note;
  const progress = liveProgress(flags.quiet === true);
  announce(ground, subject, say);
  let steps = 0;
  return await findSmallest({
    ...{ plan, stored: subject.kept, tries, forMs },
    nowMs: () => performance.now(),
    drill: (candidate, why) =>
      drillOnce(ground, candidate, {
        // What is only tried leaves no bundle.
        reportsFolder: why === 'try' ? join(ground.folder, 'tries') : flags.out,
        onProgress: (now) => progress.show(now),
        signal,
      }).finally(() => progress.clear()),
    onWhole: () => say(wrap(`drilling everything: ${sizeSentence(sizeOf(plan), sizeOf(plan))}`, WIDTH).join('\n')),
    onStep: (step) => {
      steps += 1;
      say(stepLine(step, steps, WIDTH));
    },
    onSofar,
    onVerified: ({ held, why }) =>
      say(wrap(`drilled the smallest again: ${held ? 'it holds' : why}`, WIDTH).join('\n')),
  });
}

async function drillOnce(
  ground: Ground,
  plan: DrillPlan,
  more: Pick<Parameters<typeof runDrill>[0], 'reportsFolder' | 'onProgress' | 'signal'>,
): Promise<Drilled> {
  try {
    const { judgement } = await runDrill({ ...drillOn(ground, more.signal), plan, ...more });
    return { kind: 'judged', judgement };
  } catch (error) {
    more.signal.throwIfAborted();
    if (!(error instanceof KilldrillError)) throw error;
    return { kind: 'broken', why: error.message };
  }
}

async function handOver(found: Found, asked: Asked): Promise<number> {
  const { subject, flags } = asked;
  if (found.kind === 'not_shown') {
    const { verdict } = subject.kept;
    const failing = failingOf(subject.kept);
    const shown = failing.length === 0 ? verdict : `${verdict} by ${failing.join(', ')}`;
    note(wrap(`no smaller scenario: ${subject.folder} showed ${shown}, and here ${found.why}`, WIDTH).join('\n'));
    if (flags.json === true) data(JSON.stringify({ version: 1, minimised: subject.folder, ...found }, null, 2));
    return EXIT.inconclusive;
  }
  if (flags.quiet !== true) for (const line of endLines(found, asked, WIDTH)) note(line);
  const scenario = await printedAndWritten(found.smallest, asked, factsOf(found, asked));
  if (flags.quiet !== true) note(`run it: killdrill run ${shellWord(shortest(scenario))}`);
  return found.judgement.exitCode;
}

function factsOf(found: Extract<Found, { kind: 'found' }>, { plan }: Asked) {
  const { judgement, steps, refused, spent, wentBack, notAgain } = found;
  const verified = { drills: VERIFY_DRILLS, held: VERIFY_DRILLS };
  return { verdict: judgement.verdict, verified, wentBack, notAgain, spent, refused, steps, from: sizeOf(plan) };
}

/** It is printed whatever becomes of its folder: it took drills to find. Returns the scenario's path. */
async function printedAndWritten(smallest: SmallDrill, { flags, subject }: Asked, facts: object): Promise<string> {
  const { plan, yaml } = smallest;
  const folder = flags.into ?? join(flags.out, `${subject.name}-smallest`);
  if (flags.json !== true) data(yaml);
  let scenario: string | null = null;
  try {
    scenario = await writeSmallest(makeSmallestFolder(folder, flags.into === undefined), smallest);
    return scenario;
  } finally {
    const found = { version: 1, minimised: subject.folder, scenario, ...facts, to: sizeOf(plan), yaml };
    if (flags.json === true) data(JSON.stringify(found, null, 2));
  }
}

/** After Ctrl-C, which the exit code tells of, whatever becomes of the folder. */
async function keepSofar(smallest: HeldDrill | null, asked: Asked): Promise<void> {
  if (smallest === null) return note('nothing has held so far, so nothing is kept');
  const { drilled } = smallest;
  const sofar = `the smallest so far, which was drilled ${drilled === 1 ? 'once, and held' : `${drilled} times, and held each time`}`;
  try {
    const facts = { interrupted: true, drilled, from: sizeOf(asked.plan) };
    note(`kept ${sofar}: ${await printedAndWritten(smallest, asked, facts)}`);
  } catch (error) {
    note(`printed ${sofar}, and kept it nowhere: ${messageOf(error)}`);
  }
}
