import { messageOf } from '../../../src/errors.ts';
import { withEnvironment } from '../../drill/with-environment.ts';
import { ENVIRONMENT_NAMES } from '../../environment/choose.ts';
import type { EnvironmentName } from '../../environment/environment.ts';
import { recover } from '../../environment/recover.ts';
import type { Recovery } from '../../environment/recover.ts';
import { wrap } from '../../report/wrap.ts';
import { EXIT } from '../exit.ts';
import { forgetPostgresVariables } from '../forget-postgres-variables.ts';
import { interruptible } from '../interrupt.ts';
import { data, note } from '../output.ts';
import { usage } from '../usage.ts';
import { due } from './due.ts';
import type { DueFlags } from './due.ts';

export interface DoctorFlags {
  readonly environment?: readonly EnvironmentName[];
  readonly recover?: boolean;
  readonly due?: true | readonly string[];
  readonly calendar?: string;
  readonly soon?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What became of one environment when it was tried. */
interface Examination {
  readonly environment: EnvironmentName;
  readonly works: boolean;
  /** How long it took until a drill could have begun, milliseconds; null when it does not work. */
  readonly readyMs: number | null;
  readonly facts: Readonly<Record<string, string>>;
  /** What is missing and how to mend it; null when it works. */
  readonly missing: string | null;
}

const WIDTH = 80;
const INDENT = '  ';
/** Each environment that is tried makes a database and, where there is Kafka, topics, as a drill would. */
const TRIAL = 'doctor_1';

/**
 * `killdrill doctor`: brings each environment up for a moment, and says what is missing. 0 when one of those that were asked for
 * works; with `--recover`, when everything that killed harnesses left is removed; 4 otherwise. `--due` is a command of its own (due.ts).
 */
export async function doctor(flags: DoctorFlags): Promise<number> {
  if (isAboutDue(flags)) return due(flags);
  forgetPostgresVariables(process.env);
  if (flags.recover === true) return recovered(await recover(process.env), flags);
  const { signal, dispose } = interruptible();
  const examinations: Examination[] = [];
  try {
    for (const environment of flags.environment ?? ENVIRONMENT_NAMES) {
      if (flags.quiet !== true) note(`trying ${environment} …`);
      examinations.push(await examine(environment, signal));
      signal.throwIfAborted();
    }
  } finally {
    dispose();
  }
  if (flags.json === true) data(JSON.stringify({ version: 1, environments: examinations }, null, 2));
  else for (const examination of examinations) data(lines(examination).join('\n'));
  return examinations.some(({ works }) => works) ? EXIT.pass : EXIT.error;
}

/** @throws KilldrillError `USAGE` when another question is asked with it, or nothing is asked that its options belong to. */
function isAboutDue(flags: DoctorFlags): flags is DoctorFlags & DueFlags {
  const { due: asked, recover: recovers, environment, calendar, soon } = flags;
  if (asked === undefined && (calendar ?? soon) !== undefined)
    throw usage('--calendar and --soon belong to --due; add it, or leave them out');
  if (asked !== undefined && (recovers === true || environment !== undefined))
    throw usage('--due goes with neither --recover nor --environment; ask one after the other');
  return asked !== undefined;
}

async function examine(environment: EnvironmentName, signal: AbortSignal): Promise<Examination> {
  const beganMs = performance.now();
  try {
    return await withEnvironment(environment, signal, async ({ environment: up }) => {
      const database = await up.createDatabase(TRIAL);
      const topics = await up.kafka?.createTopics(TRIAL);
      const readyMs = Math.round(performance.now() - beganMs);
      await topics?.drop();
      await database.drop();
      return { environment, works: true, readyMs, facts: up.facts, missing: null };
    });
  } catch (error) {
    signal.throwIfAborted();
    return { environment, works: false, readyMs: null, facts: {}, missing: messageOf(error) };
  }
}

function lines({ environment, readyMs, facts, missing }: Examination): readonly string[] {
  if (missing !== null) return [`${environment}: does not work here`, ...indented(missing)];
  const told = Object.entries(facts).filter(([what]) => what !== 'environment');
  return [
    `${environment}: works, ready after ${((readyMs ?? 0) / 1_000).toFixed(1)} s`,
    ...told.flatMap(([what, fact]) => indented(`${what}: ${fact}`)),
  ];
}

function indented(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => wrap(line, WIDTH - INDENT.length).map((part) => `${INDENT}${part}`));
}

function recovered(recovery: Recovery, flags: DoctorFlags): number {
  const { removed, left, problems } = recovery;
  if (flags.json === true) data(JSON.stringify({ version: 1, ...recovery }, null, 2));
  else {
    if (removed.length === 0) data('nothing was left behind by a killed harness');
    for (const what of removed) data(`removed ${what}`);
    for (const what of left) data(`left alone ${what}`);
    for (const what of problems) data(`could not be removed: ${what}`);
  }
  return problems.length === 0 ? EXIT.pass : EXIT.error;
}
