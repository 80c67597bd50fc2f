import { relative } from 'node:path';
import type { Judgement } from '../../checkers/verdict-file.ts';
import { runDrill } from '../../drill/run-drill.ts';
import { withEnvironment } from '../../drill/with-environment.ts';
import { withOverrides } from '../../scenario/overrides.ts';
import { parseDuration } from '../../scenario/quantity.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { EXIT } from '../exit.ts';
import { findScenario } from '../find-scenario.ts';
import { interruptible } from '../interrupt.ts';
import { liveProgress } from '../live-progress.ts';
import { note } from '../output.ts';
import { report, resolveReporters } from '../reporters.ts';
import { usage } from '../usage.ts';

export interface RunFlags {
  readonly environment: string;
  readonly seed?: string;
  readonly hold?: string;
  readonly out: string;
  readonly reporter: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const DEFAULT_SCENARIO = 'tenant-halt';

/** `killdrill run [scenario…]`: runs each scenario in one environment, prints its report, and answers the worst exit code. */
export async function run(names: readonly string[], flags: RunFlags): Promise<number> {
  const reporters = resolveReporters(flags);
  const wanted = (names.length === 0 ? [DEFAULT_SCENARIO] : names).map((name) => ({
    name,
    scenario: withOverrides(findScenario(name), overridesOf(flags)),
  }));
  const { signal, dispose } = interruptible();
  const say = flags.quiet === true ? () => undefined : note;
  try {
    return await withEnvironment(signal, async ({ environment, folder, watch }) => {
      for (const [what, fact] of Object.entries(environment.facts)) say(`${what}: ${fact}`);
      let worst: number = EXIT.pass;
      for (const { name, scenario } of wanted) {
        const progress = liveProgress(flags.quiet === true);
        const { judgement, bundleFolder } = await runDrill({
          scenario,
          environment,
          folder,
          reportsFolder: flags.out,
          command: null,
          grants: [],
          onSpawned: watch,
          onProgress: (now) => progress.show(now),
          signal,
        }).finally(() => progress.clear());
        say(`bundle: ${relative(process.cwd(), bundleFolder)}`);
        report(judgement, { reporters, reproduce: reproduceCommand(name, scenario, flags), bundleFolder });
        worst = worseOf(worst, judgement);
      }
      return worst;
    });
  } finally {
    dispose();
  }
}

/** fail > error > inconclusive > pass, as within one drill. */
function worseOf(sofar: number, { exitCode }: Judgement): number {
  const rank = [EXIT.pass, EXIT.inconclusive, EXIT.error, EXIT.failed] as readonly number[];
  return rank.indexOf(exitCode) > rank.indexOf(sofar) ? exitCode : sofar;
}

function overridesOf({ seed, hold }: RunFlags): { seed: number | undefined; holdMs: number | undefined } {
  const holdMs = hold === undefined ? undefined : parseDuration(hold);
  if (holdMs === null) throw usage(`--hold is '${hold}'; expected a duration such as 10s, 500ms or 1m`);
  const seedNumber = seed === undefined ? undefined : Number(seed);
  if (seedNumber !== undefined && !Number.isSafeInteger(seedNumber)) {
    throw usage(`--seed is '${seed}'; expected a whole number`);
  }
  return { seed: seedNumber, holdMs };
}

/** The command that runs this drill again: same traffic, same timeline. */
function reproduceCommand(name: string, { seed }: Scenario, { environment, hold }: RunFlags): string {
  const parts = ['killdrill', 'run', name, '--seed', String(seed)];
  if (hold !== undefined) parts.push('--hold', hold);
  return [...parts, '--environment', environment].join(' ');
}

/** Where bundles go unless told otherwise. */
export const DEFAULT_OUT = 'reports';
