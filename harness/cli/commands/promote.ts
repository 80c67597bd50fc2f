import { join } from 'node:path';
import { LIMITS } from '../../scenario/limits.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import { keepRun } from '../../regression/keep-run.ts';
import type { KeptRun } from '../../regression/keep-run.ts';
import { REGRESSION_NAME } from '../../regression/regression-file.ts';
import { writeRegression } from '../../regression/write-regression.ts';
import type { WrittenRegression } from '../../regression/write-regression.ts';
import { shellWord } from '../../report/shell-command.ts';
import { widthLeft, table } from '../../report/table.ts';
import { wrap } from '../../report/wrap.ts';
import { EXIT } from '../exit.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';

export interface PromoteFlags {
  readonly name: string;
  readonly dir: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const WIDTH = 80;

/** `killdrill promote BUNDLE --name NAME`: keeps a run as a regression: what it takes to drill it again, and no more. */
export async function promote(bundle: string, { name, dir, json, quiet }: PromoteFlags): Promise<number> {
  if (!REGRESSION_NAME.test(name) || name.length > LIMITS.nameLength)
    throw usage(
      `--name is '${name}'; expected lower-case words and digits with single dashes, at most ${LIMITS.nameLength} characters, such as tenant-halt`,
    );
  const run = await keepRun(bundle, name);
  const folder = join(dir, name);
  const written = await writeRegression(folder, name, run);
  if (json === true) {
    const { files, regression } = written;
    data(JSON.stringify({ version: 1, folder, files, regression, dropped: run.dropped }, null, 2));
  } else data(`${keptTable(run, written)}\n`);
  if (quiet === true) return EXIT.pass;
  for (const line of words(run, folder)) note(line);
  return EXIT.pass;
}

function keptTable(run: KeptRun, { files, regression }: WrittenRegression): string {
  const what = { title: '', width: 7 };
  const file = { title: 'file', width: 18 };
  const size = { title: 'bytes', width: 9, align: 'right' } as const;
  const others = [what, file, size];
  const why = {
    title: 'what it is',
    width: widthLeft(
      WIDTH,
      others.map((one) => one.width),
    ),
  };
  const { runs, effects, ofRuns } = regression.trace;
  const said: Readonly<Record<string, string>> = {
    'scenario.yaml': `resolved, ${run.anchored} of its flips anchored anew (it had ${run.before.scenarioBytes})`,
    'trace.jsonl.gz': `${runs} of ${ofRuns} runs, ${effects} effects (it had ${run.before.traceBytes})`,
    'regression.json': `verdict ${regression.kept.verdict}, and that of each property; budgets`,
  };
  const rows = [
    ...files.map((one) => ['kept', one.file, String(one.bytes), said[one.file] ?? '']),
    ...run.dropped.map((one) => ['dropped', one.file, String(one.bytes), 'what one run did, and what was made of it']),
  ];
  return table([...others, why], rows);
}

function words({ kept, redacted, plan }: KeptRun, folder: string): readonly string[] {
  const counts = redacted.map(({ what, count }) => `${count} ${what}`).join(', ');
  const odd = wordsOfFleet(plan.scenario).filter((one) => one.startsWith('/'));
  return [
    ...wrap(`stand-ins for ${counts}; ids of runs, features and capabilities are kept`, WIDTH),
    ...(odd.length === 0
      ? []
      : wrap(
          `the fleet's command or its levers name ${odd.join(', ')}, which other machines do not have; name what is relative to the folder that a gate is started in, and a command in gate.yaml`,
          WIDTH,
        )),
    ...(kept.verdict === 'pass'
      ? []
      : wrap(`the run was ${kept.verdict}, and is kept so; a gate passes once the fleet does`, WIDTH)),
    `drill it: killdrill gate ${shellWord(folder)}`,
  ];
}

/** Its command and the commands of its levers, word by word. */
function wordsOfFleet({ fleet: { command, levers } }: Scenario): readonly string[] {
  const pulled = [levers?.stop, levers?.release, levers?.status].flatMap((lever) =>
    lever?.kind === 'command' ? lever.words : [],
  );
  return [...new Set([...(command ?? []), ...pulled])];
}
