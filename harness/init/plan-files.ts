import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Document, isCollection } from 'yaml';
import { KilldrillError } from '../../src/errors.ts';
import { packageFolder } from '../../src/package-root.ts';
import { PROPERTY_NAMES } from '../checkers/registry.ts';
import { GATE_FILE } from '../regression/gate-file.ts';
import { parseScenario } from '../scenario/parse.ts';
import { ScenarioError } from '../scenario/scenario-error.ts';
import type { FoundFleet } from './find-fleet.ts';
import type { CiName } from './ci-names.ts';
import { refusedInit } from './init-error.ts';
import type { Project } from './read-project.ts';
import { tarball } from './tarball.ts';

/** A file that a project may need. */
export interface PlannedFile {
  /** From the project's folder. */
  readonly path: string;
  readonly text: string;
  /** What it is, for a list. */
  readonly what: string;
}

export const FIRST_SCENARIO = 'scenarios/first-stop.yaml';
export const FIRST_GATE = `scenarios/regressions/${GATE_FILE}`;
export const CI_FILES = {
  github: '.github/workflows/killdrill.yml',
  gitlab: 'killdrill.gitlab-ci.yml',
} as const satisfies Record<Exclude<CiName, 'none'>, string>;

/**
 * The files that a project gets, as texts.
 *
 * @throws KilldrillError `USAGE` when no scenario can name this fleet, such as one of a thousand words
 */
export function planFiles(project: Project, fleet: FoundFleet, ci: CiName): readonly PlannedFile[] {
  const scenario = withFleet(template('first-stop.yaml'), fleet);
  refuseUnreadable(scenario, fleet);
  const files = [
    { path: FIRST_SCENARIO, text: scenario, what: 'a first scenario' },
    { path: FIRST_GATE, text: template('gate.yaml'), what: 'what the gate demands, with the profiles pr and nightly' },
  ];
  if (ci === 'none') return files;
  const text = ci === 'github' ? githubText(project) : gitlabText(project);
  const what = ci === 'github' ? 'a workflow for GitHub Actions' : 'a job for GitLab, to be included';
  return [...files, { path: CI_FILES[ci], text, what }];
}

function template(name: string): string {
  return readFileSync(join(packageFolder(), 'templates', name), 'utf8');
}

/** What cannot be read again is not written. The file is not there, so the sentence is of the words that go into it. */
function refuseUnreadable(scenario: string, { command, guessedFrom }: FoundFleet): void {
  try {
    parseScenario(scenario, FIRST_SCENARIO, PROPERTY_NAMES);
  } catch (cause) {
    const [problem] = cause instanceof ScenarioError ? cause.problems : [];
    if (problem === undefined || command === null) throw cause;
    const subject = guessedFrom === null ? '--fleet' : `the fleet's command, guessed from ${guessedFrom},`;
    const mend = guessedFrom === null ? '' : ', or name another one with --fleet';
    throw refusedInit(
      `${subject} is ${JSON.stringify(command)}, which no scenario can have: found ${problem.found}, expected ${problem.expected}; ${problem.fix}${mend}`,
      cause,
    );
  }
}

/** The templates are whole files; what stands in them for a project like most is changed for another. */
function changed(text: string, from: string, to: string): string {
  if (!text.includes(from))
    throw new KilldrillError('TEMPLATE_CHANGED', `a template has no '${from}'; install killdrill anew`);
  return text.replace(from, () => to);
}

const SIMULATED = 'fleet: { workers: 2 }\n';

function withFleet(text: string, { command, guessedFrom }: FoundFleet): string {
  if (command === null) {
    const hint = `# killdrill's own simulated fleet. Put in the command that starts one worker of yours, such as\n#   fleet: { workers: 2, command: [node, worker.js] }\n`;
    return changed(text, SIMULATED, `${hint}${SIMULATED}`);
  }
  const document = new Document({ fleet: { workers: 2, command } });
  const fleet = document.get('fleet');
  if (isCollection(fleet)) fleet.flow = true;
  const hint =
    guessedFrom === null
      ? ''
      : '# Guessed. It has to start one worker that speaks the fleet contract (docs/guides/drill-your-own-fleet.md of killdrill).\n';
  return changed(text, SIMULATED, `${hint}${document.toString({ lineWidth: 0 })}`);
}

function githubText(project: Project): string {
  const install = installLines(project, ['python3 -m pip install']);
  const text = changed(
    template('github-workflow.yml'),
    '          npm ci\n',
    install.map((line) => `          ${line}\n`).join(''),
  );
  if (project.pythonFile === null) return text;
  const python = [
    '      - uses: actions/setup-python@ece7cb06caefa5fff74198d8649806c4678c61a1 # v6.3.0',
    '        with:',
    "          python-version: '3.12'",
    '      - name: install',
  ];
  return changed(text, '      - name: install', python.join('\n'));
}

function gitlabText(project: Project): string {
  const install = installLines(project, [
    'apt-get update && apt-get install --yes --no-install-recommends python3-pip',
    'python3 -m pip install --break-system-packages',
  ]);
  return changed(template('gitlab-ci.yml'), '    - npm ci\n', install.map((line) => `    - ${line}\n`).join(''));
}

function installLines({ node, pythonFile, lockFile }: Project, pip: readonly string[]): readonly string[] {
  const isLocked = lockFile === 'package-lock.json' || lockFile === 'npm-shrinkwrap.json';
  const npm = node === null ? `npm install --no-save ./${tarball()}` : isLocked ? 'npm ci' : 'npm install';
  if (pythonFile === null) return [npm];
  const wanted = pythonFile === 'requirements.txt' ? '-r requirements.txt' : '.';
  return [npm, ...pip.slice(0, -1), `${pip.at(-1) ?? ''} ${wanted}`];
}
