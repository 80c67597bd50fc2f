import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { filledIn, holds } from './expression.ts';
import type { Contexts } from './expression.ts';

const texts = z.record(z.string(), z.coerce.string());
/** The keys that are understood here; any other is refused, since it would have to do something. */
const stepSchema = z.strictObject({
  name: z.string().optional(),
  id: z.string().optional(),
  if: z.string().optional(),
  shell: z.literal('bash').optional(),
  'working-directory': z.string().optional(),
  env: texts.optional(),
  run: z.string().optional(),
  uses: z.string().optional(),
  with: texts.optional(),
});
const actionSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  inputs: z.record(z.string(), z.strictObject({ description: z.string(), default: z.string() })),
  outputs: z.record(z.string(), z.strictObject({ description: z.string(), value: z.string() })),
  runs: z.strictObject({ using: z.literal('composite'), steps: z.array(stepSchema) }),
});
const workflowSchema = z.object({
  jobs: z.record(
    z.string(),
    z.strictObject({ 'runs-on': z.string(), 'timeout-minutes': z.number(), steps: z.array(stepSchema) }),
  ),
});
type Step = z.infer<typeof stepSchema>;

/** Runs a script file in a folder with these variables besides those of the machine. */
export type RunScript = (
  script: string,
  folder: string,
  env: Readonly<Record<string, string>>,
) => Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;

/** What somebody looking at the job sees. */
export interface JobResult {
  /** Of the first step that failed; 0 when none did. */
  readonly code: number;
  readonly failedStep: string | null;
  /** stdout and stderr of all steps: the runner reads its commands from both. */
  readonly log: string;
  readonly summary: string;
  /** Steps that ran. */
  readonly ran: readonly string[];
  /** Actions of others, which were not run, with what they were given. */
  readonly skipped: readonly { readonly uses: string; readonly with: Readonly<Record<string, string>> }[];
  readonly outputs: Readonly<Record<string, string>>;
}

interface Job {
  readonly workspace: string;
  readonly runScript: RunScript;
  code: number;
  failedStep: string | null;
  log: string;
  summary: string;
  readonly ran: string[];
  readonly skipped: JobResult['skipped'][number][];
}

const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/;

/** Runs the only job of a workflow as a runner would; `event` is what started it. */
export async function runWorkflow(
  path: string,
  event: string,
  workspace: string,
  runScript: RunScript,
): Promise<JobResult> {
  const { jobs } = workflowSchema.parse(parse(readFileSync(path, 'utf8')));
  const [job, other] = Object.values(jobs);
  if (job === undefined || other !== undefined) throw new Error(`${path}: one job is understood here`);
  return inJob(workspace, runScript, (state) => runSteps(state, job.steps, { github: { event_name: event } }, {}));
}

/** Runs an action by itself. */
export function runAction(
  folder: string,
  inputs: Readonly<Record<string, string>>,
  workspace: string,
  runScript: RunScript,
): Promise<JobResult> {
  return inJob(workspace, runScript, (state) => runComposite(state, folder, inputs));
}

async function inJob(
  workspace: string,
  runScript: RunScript,
  work: (job: Job) => Promise<Readonly<Record<string, string>>>,
): Promise<JobResult> {
  const job: Job = { workspace, runScript, code: 0, failedStep: null, log: '', summary: '', ran: [], skipped: [] };
  const outputs = await work(job);
  const { code, failedStep, log, summary, ran, skipped } = job;
  return { code, failedStep, log, summary, ran, skipped, outputs };
}

async function runComposite(
  job: Job,
  folder: string,
  given: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const action = actionSchema.parse(parse(readFileSync(join(folder, 'action.yml'), 'utf8')));
  const unknown = Object.keys(given).find((name) => !(name in action.inputs));
  if (unknown !== undefined) throw new Error(`the action has no input '${unknown}'`);
  for (const step of action.runs.steps)
    if (step.run !== undefined && step.shell === undefined) throw new Error('a composite step needs its shell');
  const defaults = Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default]));
  const contexts = { inputs: { ...defaults, ...given } };
  return runSteps(job, action.runs.steps, contexts, action.outputs, folder);
}

async function runSteps(
  job: Job,
  steps: readonly Step[],
  contexts: Contexts,
  outputs: Readonly<Record<string, { readonly value: string }>>,
  actionFolder = '',
): Promise<Readonly<Record<string, string>>> {
  const said: Record<string, Contexts> = {};
  const around = () => ({ contexts: { ...contexts, steps: said }, hasFailed: job.code !== 0 });
  const fill = (text: string): string => filledIn(text, around());
  const fillAll = (all: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(all).map(([name, text]) => [name, fill(text)]));
  for (const step of steps) {
    if (!holds(step.if, around())) continue;
    if (step.uses !== undefined) await useAction(job, step.uses, fillAll(step.with));
    else if (step.run === undefined) throw new Error(`a step neither runs nor uses anything: ${JSON.stringify(step)}`);
    else {
      if (/\$\{\{/.test(step.run)) throw new Error(`an expression is pasted into a script: ${step.run}`);
      const folder = resolve(job.workspace, fill(step['working-directory'] ?? '.'));
      const env = { ...fillAll(step.env), GITHUB_ACTION_PATH: actionFolder };
      const given = await runStep(job, step.name ?? step.run, step.run, folder, env);
      if (step.id !== undefined) said[step.id] = { outputs: given };
    }
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, fill(value)]));
}

async function useAction(job: Job, uses: string, given: Readonly<Record<string, string>>): Promise<void> {
  if (uses.startsWith('./')) {
    const folder = join(job.workspace, uses);
    if (!existsSync(join(folder, 'action.yml'))) throw new Error(`${uses} has no action.yml`);
    await runComposite(job, folder, given);
    return;
  }
  if (!PINNED.test(uses)) throw new Error(`${uses} is not pinned to a commit`);
  job.skipped.push({ uses, with: given });
}

async function runStep(
  job: Job,
  name: string,
  script: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const file = (kind: string): string => join(job.workspace, `.runner-${job.ran.length}-${kind}`);
  const files = { script: file('script.sh'), outputs: file('outputs'), summary: file('summary') };
  writeFileSync(files.script, script);
  writeFileSync(files.outputs, '');
  writeFileSync(files.summary, '');
  const { code, stdout, stderr } = await job.runScript(files.script, folder, {
    ...env,
    ...{ CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: job.workspace },
    ...{ GITHUB_OUTPUT: files.outputs, GITHUB_STEP_SUMMARY: files.summary },
  });
  job.ran.push(name);
  job.log += stdout + stderr;
  job.summary += readFileSync(files.summary, 'utf8');
  if (code !== 0 && job.code === 0) {
    job.code = code;
    job.failedStep = name;
  }
  return outputsIn(readFileSync(files.outputs, 'utf8'));
}

function outputsIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { name, value } = /^(?<name>[\w-]+)=(?<value>.*)$/.exec(line)?.groups ?? {};
        if (name === undefined || value === undefined) throw new Error(`an output is not understood: ${line}`);
        return [name, value];
      }),
  );
}
