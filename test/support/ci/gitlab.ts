import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const jobSchema = z.strictObject({
  stage: z.string(),
  image: z.string().regex(/^[\w./-]+:\d+\.\d+\.\d+[\w.-]*$/, 'an image of an exact version'),
  timeout: z.string(),
  rules: z.array(z.strictObject({ if: z.string(), variables: z.record(z.string(), z.string()) })),
  before_script: z.array(z.string()),
  script: z.array(z.string()),
  artifacts: z.strictObject({
    when: z.enum(['always', 'on_failure']),
    expire_in: z.string(),
    paths: z.array(z.string()),
    reports: z.strictObject({ junit: z.string() }),
  }),
});

/** The only job of a GitLab file, for a pipeline with this source. */
export interface GitlabJob {
  /** All lines in one shell, as a runner has them: the first that fails is the last. */
  readonly script: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly artifacts: z.infer<typeof jobSchema>['artifacts'];
}

/** Null when none of its rules is for this pipeline. */
export function gitlabJob(path: string, source: string): GitlabJob | null {
  const [job, other] = Object.values(z.record(z.string(), jobSchema).parse(parse(readFileSync(path, 'utf8'))));
  if (job === undefined || other !== undefined) throw new Error(`${path}: one job is understood here`);
  const rule = job.rules.find((one) => sourceOf(one.if) === source);
  if (rule === undefined) return null;
  const script = [...job.before_script, ...job.script].join('\n');
  return { script, variables: { ...rule.variables, CI: 'true', GITLAB_CI: 'true' }, artifacts: job.artifacts };
}

function sourceOf(condition: string): string {
  const source = /^\$CI_PIPELINE_SOURCE == "(?<source>\w+)"$/.exec(condition)?.groups?.['source'];
  if (source === undefined) throw new Error(`a rule is not understood here: ${condition}`);
  return source;
}
