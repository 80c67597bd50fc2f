import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { KilldrillError } from '../../../src/errors.ts';
import { runDrill } from '../../drill/run-drill.ts';
import { withEnvironment } from '../../drill/with-environment.ts';
import type { Ground } from '../../drill/with-environment.ts';
import { cutTrace } from '../../regression/cut-trace.ts';
import { failingOf } from '../../replay/candidate.ts';
import { VERIFY_DRILLS, findSmallest } from '../../replay/find-smallest.ts';
import type { Drilled, Found, SmallDrill } from '../../replay/find-smallest.ts';
import { readReplaySubject } from '../../replay/replay-subject.ts';
import type { ReplaySubject } from '../../replay/replay-subject.ts';
import { makeSmallestFolder, writeSmallest } from '../../replay/write-smallest.ts';
import { sizeOf, sizeSentence, stepLine } from '../../report/smallest-lines.ts';
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
import { prepareOut } from '../prepare-out.ts';
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
  forgetPostgresVariables(process.env);
  const { stored } = subject;
  const plan = stored === null ? subject.plan : { ...subject.plan, trace: cutTrace(stored) };
  const { signal, dispose } = interruptible();
  let sofar: SmallDrill | null = null;
  const asked: Asked = { flags, subject, plan, ...limits, signal };
  try {
    const found = await withEnvironment(environmentFor([subject.plan.scenario], flags.environment), signal, (ground) =>
      searchOn(ground, asked, (smaller) => (sofar = smaller)),
    );
    return await handOver(found, asked);
  } catch (error) {
    if (signal.aborted) await keepSofar(sofar, asked);
    throw error;
  } finally {
    dispose();
  }
}

function limitsOf({ tries, for: time, into, reporter }: MinimiseFlags): { tries: number; forMs: number } {
  if (reporter.length > 0) throw usage('--reporter tells of one drill, and --minimise runs many; leave it out');
  if (into !== undefined && existsSync(into))
    throw usage(`--into is '${into}', which is there already, and nothing is overwritten; name a new folder`);
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
  onSmaller: (smaller: SmallDrill) => void,
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
    onHeld: onSmaller,
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
  const scenario = await written(found.smallest, asked);
  if (flags.quiet !== true) {
    for (const line of endLines(found, asked)) note(line);
    note(`run it: killdrill run ${shortest(scenario)}`);
  }
  printed(found.smallest, asked, { scenario, ...factsOf(found, asked) });
  return found.judgement.exitCode;
}

function written(smallest: SmallDrill, { flags, subject }: Asked): Promise<string> {
  const folder = flags.into ?? join(flags.out, `${subject.name}-smallest`);
  return writeSmallest(makeSmallestFolder(folder, flags.into === undefined), smallest);
}

function factsOf({ judgement, steps, refused, spent, wentBack }: Extract<Found, { kind: 'found' }>, { plan }: Asked) {
  const verified = { drills: VERIFY_DRILLS, held: VERIFY_DRILLS };
  return { verdict: judgement.verdict, verified, wentBack, spent, refused, steps, from: sizeOf(plan) };
}

function printed({ plan, yaml }: SmallDrill, { flags, subject }: Asked, facts: object): void {
  if (flags.json !== true) data(yaml);
  else data(JSON.stringify({ version: 1, minimised: subject.folder, ...facts, to: sizeOf(plan), yaml }, null, 2));
}

function endLines(found: Extract<Found, { kind: 'found' }>, { plan, tries }: Asked): readonly string[] {
  const { smallest, steps, refused, spent, wentBack } = found;
  const back =
    wentBack === 0
      ? []
      : [`${wentBack} smaller ones held once, but not in ${VERIFY_DRILLS} drills more: this is the last that does`];
  const ended = spent
    ? `tries or time (${tries} drills) ended before everything was tried`
    : 'nothing more can be dropped';
  return [
    `left: ${sizeSentence(sizeOf(plan), sizeOf(smallest.plan))}`,
    `each of ${steps.length} steps was drilled once, what is left in ${VERIFY_DRILLS} drills more: it holds in each`,
    ...back,
    `${ended}; ${refused} candidates were no scenario, and not drilled`,
  ].flatMap((line) => wrap(line, WIDTH));
}

/** After Ctrl-C. */
async function keepSofar(smallest: SmallDrill | null, asked: Asked): Promise<void> {
  if (smallest === null) return note('nothing was shown yet, so nothing is kept');
  const scenario = await written(smallest, asked);
  note(`kept the smallest so far, which was drilled once: ${scenario}`);
  printed(smallest, asked, { scenario, interrupted: true, from: sizeOf(asked.plan) });
}
