import { performance } from 'node:perf_hooks';
import { KilldrillError } from '../../../src/errors.ts';
import type { DrillInput } from '../../drill/drill-input.ts';
import { NOTHING_PLANTED } from '../../drill/prepare-store.ts';
import { runDrill } from '../../drill/run-drill.ts';
import { withEnvironment } from '../../drill/with-environment.ts';
import type { Ground } from '../../drill/with-environment.ts';
import { notDrillable } from '../../regression/not-drillable.ts';
import { replayReportOf } from '../../replay/replay-report.ts';
import type { ReplayReport } from '../../replay/replay-report.ts';
import { readReplaySubject } from '../../replay/replay-subject.ts';
import type { ReplaySubject } from '../../replay/replay-subject.ts';
import { renderReplay } from '../../report/replay-table.ts';
import { shellWord } from '../../report/shell-command.ts';
import type { DrillFlags } from '../drill-flags.ts';
import { environmentFor } from '../environment-for.ts';
import { fileReporters } from '../file-reporters.ts';
import { forgetPostgresVariables } from '../forget-postgres-variables.ts';
import { interruptible } from '../interrupt.ts';
import { liveProgress } from '../live-progress.ts';
import { data, mayColour, note } from '../output.ts';
import { prepareOut } from '../prepare-out.ts';
import { report } from '../reporters.ts';
import type { Reporter } from '../reporters.ts';
import { shortest } from '../shortest.ts';

const WIDTH = 80;

/**
 * `killdrill replay BUNDLE`: runs the traffic and timeline of a stored run again, on live servers, and says how close that came.
 * The exit code is that of the replay's own verdict.
 */
export async function replay(folder: string, flags: DrillFlags): Promise<number> {
  const reporters = fileReporters(flags.reporter, "the replay's");
  const subject = await readReplaySubject(folder);
  prepareOut(flags.out);
  forgetPostgresVariables(process.env);
  const { signal, dispose } = interruptible();
  try {
    const answer = await withEnvironment(environmentFor([subject.plan.scenario], flags.environment), signal, (ground) =>
      replayOn(ground, subject, { flags, reporters, signal }),
    );
    if (flags.json === true) data(JSON.stringify(answer, null, 2));
    else data(renderReplay(answer, { width: WIDTH, colour: mayColour(process.stdout) }));
    return answer.exitCode;
  } finally {
    dispose();
  }
}

interface Asked {
  readonly flags: DrillFlags;
  readonly reporters: readonly Reporter[];
  readonly signal: AbortSignal;
}

async function replayOn(
  ground: Ground,
  subject: ReplaySubject,
  { flags, reporters, signal }: Asked,
): Promise<ReplayReport> {
  const say = flags.quiet === true ? () => undefined : note;
  announce(ground, subject, say);
  const progress = liveProgress(flags.quiet === true);
  const startMs = performance.now();
  const outcome = await runDrill({
    ...drillOn(ground, signal),
    plan: subject.plan,
    reportsFolder: flags.out,
    onProgress: (now) => progress.show(now),
  }).finally(() => progress.clear());
  const seconds = (performance.now() - startMs) / 1_000;
  const bundle = shortest(outcome.bundleFolder);
  const reproduce = `killdrill replay ${shellWord(subject.folder)}`;
  report(outcome.judgement, { reporters, reproduce, bundleFolder: outcome.bundleFolder });
  return replayReportOf(subject, outcome, { environment: ground.environment.name, seconds, bundle });
}

/**
 * Says where the stored run is drilled again.
 *
 * @throws KilldrillError `ENVIRONMENT_LACKS` when it cannot be, here
 */
export function announce({ environment }: Ground, subject: ReplaySubject, say: (line: string) => void): void {
  for (const [what, fact] of Object.entries(environment.facts)) say(`${what}: ${fact}`);
  const why = notDrillable(subject, environment, null);
  if (why !== null) throw new KilldrillError('ENVIRONMENT_LACKS', `${subject.folder} cannot be replayed here: ${why}`);
  say(`live replay of ${subject.folder}: its traffic and timeline run again`);
}

/** What each drill of a stored run has in common. */
export function drillOn(
  { environment, folder, watch }: Ground,
  signal: AbortSignal,
): Omit<DrillInput, 'plan' | 'reportsFolder' | 'onProgress'> {
  return { environment, folder, command: null, planted: NOTHING_PLANTED, onSpawned: watch, signal };
}
