import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deedsOf } from '../docs/guide.ts';
import { gitlabJob } from '../support/ci/gitlab.ts';
import { runAction, runWorkflow } from '../support/ci/github.ts';
import type { RunScript } from '../support/ci/github.ts';
import { Workshop, project } from './workshop.ts';

const BOTH_CI = { github: '.github/workflows/killdrill.yml', gitlab: 'killdrill.gitlab-ci.yml' } as const;

let workshop: Workshop;
let path: string;

beforeAll(() => {
  workshop = new Workshop();
  // What installs the project is not tried here, and needs a network: this npm puts killdrill where npm would, packs it
  // under the name that npm would give it, and installs only what is there.
  mkdirSync(join(workshop.folder, 'bin'));
  const npm = `#!/usr/bin/env bash
set -euo pipefail
echo "npm $*" >&2
if [ "$1" = pack ]; then echo >"killdrill-$(node -p "require('${project}/package.json').version").tgz"; exit; fi
if [ "$1" = install ] && [ $# -gt 1 ]; then test -f "\${@: -1}"; fi
mkdir -p node_modules/.bin
ln -sfn '${project}' node_modules/killdrill
printf '#!/usr/bin/env bash\\nexec node "%s/node_modules/killdrill/dist/harness/cli/main.js" "$@"\\n' "$PWD" >node_modules/.bin/killdrill
chmod +x node_modules/.bin/killdrill
`;
  writeFileSync(join(workshop.folder, 'bin/npm'), npm, { mode: 0o755 });
  path = `${join(workshop.folder, 'bin')}:${process.env['PATH'] ?? ''}`;
});
afterAll(() => workshop.close());

/** As a runner starts `shell: bash`. */
const runScript: RunScript = (script, folder, env) =>
  workshop.spawn('bash', ['-c', 'cd "$1" && exec bash --noprofile --norc -eo pipefail "$2"', 'bash', folder, script], {
    ...env,
    PATH: path,
  }).ended;

/** The project's folder is the workspace; what a drill leaves in `t/` is the workshop's. */
const inProject = (name: string): string => join(workshop.folder, name);

/** A copy of the project as it was kept, for a change of its own. */
function copyOf(name: string): string {
  const folder = inProject(name);
  mkdirSync(folder);
  for (const part of ['scenarios', '.github', BOTH_CI.gitlab, 'package.json'])
    cpSync(inProject(part), join(folder, part), { recursive: true });
  return folder;
}

function breakFleet(folder: string, words: readonly string[]): void {
  appendFileSync(
    join(folder, 'scenarios/regressions/gate.yaml'),
    `fleet: { command: ${JSON.stringify([process.execPath, ...words])} }\n`,
  );
}

describe('a project that gets its drills as the guide says', () => {
  it('has a scenario that is valid and passes, a run that is kept, and a gate that holds', async () => {
    writeFileSync(
      inProject('package.json'),
      '{ "name": "mine", "private": true, "devDependencies": { "killdrill": "file:killdrill-0.1.0.tgz" } }\n',
    );
    writeFileSync(inProject('package-lock.json'), '{}\n');
    mkdirSync(inProject('clone'));
    let printed = '';
    let [commands, installs] = [0, 0];
    for (const deed of deedsOf('docs/guides/put-drills-into-ci.md')) {
      if (deed.kind !== 'command') continue;
      if (!deed.line.startsWith('npx killdrill ')) {
        installs += 1;
        const line = deed.line.replaceAll('../killdrill', 'clone');
        const { code, stderr } = await workshop.spawn('bash', ['-c', line], { PATH: path }).ended;
        expect({ line, code }, stderr).toEqual({ line, code: 0 });
        continue;
      }
      commands += 1;
      const bundle = commands > 4 ? readdirSync(inProject('reports')).toSorted().at(-1) : 'none';
      const line = deed.line.replace('npx killdrill ', '"$@" ').replace('reports/<run>', `reports/${bundle}`);
      let ended = await workshop.shell(line, []);
      // A busy machine shows nothing; a reader would run it again too, and a gate does so itself.
      if (ended.code === 2 && line.includes(' run ')) ended = await workshop.shell(line, []);
      const { code, stdout, stderr } = ended;
      expect({ line, code }, stdout + stderr).toEqual({ line, code: deed.exitCode });
      printed += stdout;
    }
    rmSync(inProject('node_modules'), { recursive: true }); // the other projects are below it, and would find it
    expect({ commands, installs }).toEqual({ commands: 6, installs: 3 });
    expect(printed).toContain('would be written: scenarios/first-stop.yaml');
    expect(printed).toContain('written: .github/workflows/killdrill.yml');
    expect(printed).toMatch(/profile pr, on embedded: 1 kept run in/);
    expect(printed).toMatch(/verdict: pass \(exit 0\)\n$/);
    expect((await workshop.run(['init', '--ci', 'gitlab'])).stdout).toContain(`written: ${BOTH_CI.gitlab}`);
    expect(workshop.left()).toEqual([]);
  });
});

describe('the workflow for GitHub', () => {
  it('installs the project, and passes with the profile of a pull request', async () => {
    const folder = copyOf('sound');
    cpSync(inProject('package-lock.json'), join(folder, 'package-lock.json'));
    const { code, log, summary, ran, skipped } = await runWorkflow(
      join(folder, BOTH_CI.github),
      'pull_request',
      folder,
      runScript,
    );
    expect(code, log).toBe(0);
    expect(log).toContain('npm ci');
    expect(log).toContain('profile pr, on embedded');
    expect(ran).toEqual(['install', 'gate', 'the verdict']);
    expect(skipped.map(({ uses }) => uses.replace(/@.*/, ''))).toEqual(['actions/checkout', 'actions/setup-node']);
    expect(log).toMatch(/^::notice title=killdrill gate pr::pass, 1 kept runs$/m);
    expect(summary).toContain('## ✅ killdrill gate: pass');
    expect(summary).toContain('**killdrill gate: exit code 0, pass**');
    expect(workshop.left()).toEqual([]);
  });

  it('fails with a broken fleet: exit code 1, a summary that names the regression, and the bundles to be uploaded', async () => {
    const folder = copyOf('broken');
    mkdirSync(join(folder, 'app'));
    for (const part of ['scenarios', 'package.json'])
      cpSync(join(folder, part), join(folder, 'app', part), { recursive: true });
    mkdirSync(join(folder, 'app/node_modules'));
    symlinkSync(project, join(folder, 'app/node_modules/killdrill'));
    breakFleet(join(folder, 'app'), [join(project, 'dist/fleet-sim/main.js'), '--mutant', 'sticks-after-release']);
    const inputs = { profile: '', args: 'scenarios/regressions\n--quiet', folder: 'app', out: 'my reports' };
    const { code, failedStep, log, summary, skipped, outputs } = await runAction(project, inputs, folder, runScript);
    expect({ code, failedStep }, log).toEqual({ code: 1, failedStep: 'the verdict' });
    expect(outputs).toEqual({ 'exit-code': '1', verdict: 'fail', reports: 'app/my reports' });
    expect(log).toMatch(/^::error title=killdrill%3A first-stop%3A release_takes_effect::fail/m);
    expect(summary).toMatch(
      /\| ❌ regressed \| `first-stop` \| fail \([\d.]+ s\), then fail \([\d.]+ s\) \| .*release\\_takes\\_effect was pass and fails/,
    );
    expect(summary).toContain('**killdrill gate: exit code 1, fail**');
    expect(skipped).toMatchObject([
      { uses: expect.stringContaining('actions/upload-artifact@'), with: { path: 'app/my reports' } },
    ]);
    const kept = readdirSync(join(folder, 'app/my reports'));
    expect(kept.filter((name) => name.endsWith('-first-stop'))).toHaveLength(2);
    expect(readFileSync(join(folder, 'app/my reports/junit.xml'), 'utf8')).toContain('<failure');
    expect(workshop.left()).toEqual([]);
  });

  it('tells what could not begin from what failed, with the words of the error in the summary', async () => {
    const folder = copyOf('elsewhere');
    const without = await runAction(project, { folder: '.' }, folder, runScript);
    expect(without, without.log).toMatchObject({ code: 3, outputs: { verdict: 'usage', 'exit-code': '3' } });
    expect(without.summary).toContain("    killdrill is not installed in '.'");
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(project, join(folder, 'node_modules/killdrill'));
    const unknown = await runAction(project, { profile: "p'r; exit 0" }, folder, runScript);
    expect(unknown, unknown.log).toMatchObject({ code: 3, outputs: { verdict: 'usage' } });
    expect(unknown.summary).toContain("    killdrill: --profile is 'p'r; exit 0', which");
    expect(unknown.log).toMatch(/^::error title=killdrill gate::exit code 3, usage/m);
  });

  /** A project with nothing in it: enough for what ends before a drill. */
  function bare(name: string): string {
    const folder = inProject(name);
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    return folder;
  }

  it.each([
    ['out', 'reports\nexit-code=0\nverdict=pass'],
    ['folder', 'app\nexit-code=0\nverdict=pass'],
  ])('takes no line break in %s, with which a failed gate would be green', async (input, value) => {
    const folder = bare(`break-in-${input}`);
    mkdirSync(join(folder, value));
    const { code, failedStep, outputs, summary, log } = await runAction(project, { [input]: value }, folder, runScript);
    expect({ code, failedStep, outputs }, log).toEqual({
      code: 3,
      failedStep: 'the verdict',
      outputs: { reports: '', 'exit-code': '3', verdict: 'usage' },
    });
    expect(summary).toContain('expected paths without a line break');
  });

  it.each([
    ['', /    'out' is '', in which nothing can be written \(mkdir.*\); expected a folder/],
    ['taken', /    'out' is 'taken', in which nothing can be written \(mkdir/],
    ['held', /    'out' is 'held', in which nothing can be written \(rm: .*junit\.xml/],
    ['mine', /    'out' is 'mine', which is a repository/],
  ])('says of an out that is no place for reports, such as %j, what is wrong with it', async (out, sentence) => {
    const folder = bare(`out-${out}`);
    writeFileSync(join(folder, 'taken'), '');
    for (const path of ['held/junit.xml', 'mine/.git']) mkdirSync(join(folder, path), { recursive: true });
    const { code, outputs, summary, skipped, log } = await runAction(project, { out }, folder, runScript);
    expect({ code, outputs }, log).toEqual({ code: 3, outputs: { reports: '', 'exit-code': '3', verdict: 'usage' } });
    expect(summary).toMatch(sentence);
    expect(skipped).toEqual([]); // there is nothing to be uploaded, and nothing else is
  });

  it('keeps the reports where out says, also out of the project', async () => {
    const folder = bare('out-of-it');
    const elsewhere = join(folder, 'else/where');
    for (const [out, reports] of [
      [elsewhere, elsewhere],
      ['-x', './-x'],
    ] as const) {
      const { code, outputs, skipped, log } = await runAction(project, { out }, folder, runScript);
      expect({ code, outputs }, log).toMatchObject({ code: 3, outputs: { verdict: 'usage' } });
      expect(join(outputs['reports'] ?? '')).toBe(join(reports));
      expect(skipped).toMatchObject([{ with: { path: outputs['reports'], 'include-hidden-files': 'true' } }]);
      expect(readFileSync(resolve(folder, reports, 'killdrill.log'), 'utf8')).toContain('is not installed');
    }
  });

  it('tells a killdrill that does not start from a gate that fails', async () => {
    const folder = bare('unbuilt');
    mkdirSync(join(folder, 'node_modules/killdrill'));
    writeFileSync(join(folder, 'node_modules/killdrill/package.json'), '{}');
    const { code, outputs, summary, log } = await runAction(project, {}, folder, runScript);
    expect({ code, outputs }, log).toMatchObject({ code: 4, outputs: { verdict: 'error', 'exit-code': '4' } });
    expect(summary).toMatch(/    Error: Cannot find module .*main\.js[^]*    killdrill is in '.*' and does not start/);
  });

  it.each(['--help', '-V'])('takes no gate for passed that drilled nothing: %s', async (args) => {
    const folder = bare(`args${args}`);
    symlinkSync(project, join(folder, 'node_modules/killdrill'));
    mkdirSync(join(folder, 'killdrill-reports'));
    writeFileSync(join(folder, 'killdrill-reports/junit.xml'), 'of an earlier step');
    const { code, outputs, summary, log } = await runAction(project, { args }, folder, runScript);
    expect({ code, outputs }, log).toMatchObject({ code: 3, outputs: { verdict: 'usage', 'exit-code': '3' } });
    expect(summary).toContain(`    nothing was drilled: 'args' is '${args}'`);
  });
});

describe('the job for GitLab', () => {
  it('is for merge requests and schedules, and for nothing else', () => {
    const profileOf = (source: string) => gitlabJob(inProject(BOTH_CI.gitlab), source)?.variables['KILLDRILL_PROFILE'];
    expect(['merge_request_event', 'schedule', 'push'].map(profileOf)).toEqual(['pr', 'nightly', undefined]);
  });

  async function runJob(folder: string, source: string) {
    const job = gitlabJob(join(folder, BOTH_CI.gitlab), source);
    if (job === null) throw new Error('it has no job');
    const script = join(folder, '.script.sh');
    writeFileSync(script, job.script);
    return { ...(await runScript(script, folder, job.variables)), artifacts: job.artifacts };
  }

  it('passes, and leaves what its artifacts name', async () => {
    const folder = copyOf('lab');
    rmSync(join(folder, '.github'), { recursive: true });
    const { code, stdout, stderr, artifacts } = await runJob(folder, 'schedule');
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('profile nightly, on embedded');
    expect(artifacts.expire_in).toBe('1 week');
    for (const name of artifacts.paths) expect(statSync(join(folder, name)).isDirectory()).toBe(true);
    expect(readFileSync(join(folder, artifacts.reports.junit), 'utf8')).toMatch(/<testsuites/);
    expect(workshop.left()).toEqual([]);
  });

  it('fails with a fleet that does not start', async () => {
    const folder = copyOf('broken-lab');
    breakFleet(folder, ['no-such-worker.js']);
    const { code, stdout, stderr } = await runJob(folder, 'merge_request_event');
    expect(code, stdout + stderr).not.toBe(0);
    expect(stdout).toMatch(/first-stop: not comparable/);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('the fleet did not start');
    expect(workshop.left()).toEqual([]);
  });
});
