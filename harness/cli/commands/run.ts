import { join } from 'node:path';
import { REPORT_FILES } from '../../bundle/write-verdict.ts';
import type { Judgement } from '../../checkers/verdict-file.ts';
import { sortOut } from '../../drill/lacking.ts';
import { NOTHING_PLANTED } from '../../drill/prepare-store.ts';
import { runDrill } from '../../drill/run-drill.ts';
import { withEnvironment } from '../../drill/with-environment.ts';
import type { EnvironmentName } from '../../environment/environment.ts';
import { drilledBy } from '../../evidence/drilled-by.ts';
import { projectState } from '../../evidence/project-state.ts';
import { LINE } from '../../scenario/line.ts';
import { withOverrides } from '../../scenario/overrides.ts';
import { LIMITS } from '../../scenario/limits.ts';
import { formatDuration, parseDuration } from '../../scenario/quantity.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { shellWord } from '../../report/shell-command.ts';
import { trafficTable } from '../../report/traffic-table.ts';
import { describeTrace } from '../../traffic/describe-trace.ts';
import { planDrill } from '../../traffic/plan-drill.ts';
import type { DrillFlags } from '../drill-flags.ts';
import { environmentFor } from '../environment-for.ts';
import { EXIT } from '../exit.ts';
import { findScenario } from '../find-scenario.ts';
import { forgetPostgresVariables } from '../forget-postgres-variables.ts';
import { interruptible } from '../interrupt.ts';
import { liveProgress } from '../live-progress.ts';
import { note } from '../output.ts';
import { report, reportSkipped, resolveReporters } from '../reporters.ts';
import { prepareOut } from '../prepare-out.ts';
import { shortest } from '../shortest.ts';
import { usage } from '../usage.ts';
import { wholeNumber } from '../whole-number.ts';

export interface RunFlags extends DrillFlags {
  readonly seed?: string;
  readonly hold?: string;
  readonly by?: string;
}

const TABLE_WIDTH = 80;
const LONGEST_NAME = 200;
const DEFAULT_SCENARIO = 'tenant-halt';

/**
 * `killdrill run [scenario…]`: runs each scenario in one environment, prints its report, and answers the worst exit code. One
 * that the environment lacks something for is skipped, which is no pass.
 */
export async function run(names: readonly string[], flags: RunFlags): Promise<number> {
  const reporters = resolveReporters(flags, names.length > 1 ? 'several' : 'one');
  const wanted = (names.length === 0 ? [DEFAULT_SCENARIO] : names).map((name) => ({
    name,
    scenario: withOverrides(findScenario(name), overridesOf(flags)),
  }));
  const who = drilledBy(byOf(flags), process.env);
  const told = { who, project: await projectState(process.cwd(), flags.out) };
  prepareOut(flags.out);
  forgetPostgresVariables(process.env);
  const { signal, dispose } = interruptible();
  const scenarios = wanted.map(({ scenario }) => scenario);
  const say = flags.quiet === true ? () => undefined : note;
  try {
    return await withEnvironment(
      environmentFor(scenarios, flags.environment),
      signal,
      async ({ environment, folder, watch }) => {
        for (const [what, fact] of Object.entries(environment.facts)) say(`${what}: ${fact}`);
        const { able, skipped } = sortOut(wanted, environment);
        for (const { why } of skipped) note(`skipped: ${why}`);
        let worst: number = skipped.length === 0 ? EXIT.pass : EXIT.inconclusive;
        for (const { name, scenario } of able) {
          const plan = planDrill(scenario);
          say(trafficTable(describeTrace(plan.trace), TABLE_WIDTH));
          const progress = liveProgress(flags.quiet === true);
          const { judgement, bundleFolder, noEvidence } = await runDrill({
            plan,
            environment,
            folder,
            reportsFolder: flags.out,
            command: null,
            planted: NOTHING_PLANTED,
            onSpawned: watch,
            onProgress: (now) => progress.show(now),
            told,
            signal,
          }).finally(() => progress.clear());
          say(`bundle: ${shortest(bundleFolder)}`);
          if (noEvidence !== null) note(`the evidence of this drill could not be written: ${noEvidence}`);
          say(`report: ${shortest(join(bundleFolder, REPORT_FILES.html))}`);
          const isFurther = able[0]?.scenario !== scenario;
          const reproduce = reproduceCommand(name, scenario, environment.name, flags);
          report(judgement, { reporters, reproduce, bundleFolder, isFurther });
          worst = worseOf(worst, judgement);
        }
        reportSkipped(skipped, reporters);
        if (skipped.length > 0) note(`${skipped.length} of ${wanted.length} scenarios were skipped, which is no pass`);
        return worst;
      },
    );
  } finally {
    dispose();
  }
}

function byOf({ by }: RunFlags): string | undefined {
  if (by === undefined || (LINE.test(by) && by.trim() !== '' && by.length <= LONGEST_NAME)) return by;
  throw usage(`--by is '${by}'; expected a name on one line, of at most ${LONGEST_NAME} characters`);
}

/** fail > error > inconclusive > pass, as within one drill. */
function worseOf(sofar: number, { exitCode }: Judgement): number {
  const rank = [EXIT.pass, EXIT.inconclusive, EXIT.error, EXIT.failed] as readonly number[];
  return rank.indexOf(exitCode) > rank.indexOf(sofar) ? exitCode : sofar;
}

function overridesOf({ seed, hold }: RunFlags): { seed: number | undefined; holdMs: number | undefined } {
  const holdMs = hold === undefined ? undefined : parseDuration(hold);
  if (holdMs === null || (holdMs !== undefined && holdMs > LIMITS.holdMs.max))
    throw usage(
      `--hold is '${hold}'; expected a time up to ${formatDuration(LIMITS.holdMs.max)}, such as 10s, 500ms or 1m`,
    );
  return { seed: seed === undefined ? undefined : wholeNumber('--seed', seed, LIMITS.seed), holdMs };
}

/** The command that runs this drill again: same traffic, same timeline, and the servers that it had, whoever chose them. */
function reproduceCommand(name: string, { seed }: Scenario, environment: EnvironmentName, { hold }: RunFlags): string {
  const parts = ['killdrill', 'run', shellWord(name), '--seed', String(seed)];
  if (hold !== undefined) parts.push('--hold', hold);
  return [...parts, '--environment', environment].join(' ');
}
