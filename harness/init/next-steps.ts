import { packageVersion } from '../../src/package-root.ts';
import { CI_FILES, FIRST_GATE, FIRST_SCENARIO } from './plan-files.ts';
import type { CiName } from './ci-names.ts';
import type { Project } from './read-project.ts';
import type { PlacedFile } from './write-files.ts';

/** A thing to do, and the command that does it; null for what a hand does. */
export interface NextStep {
  readonly what: string;
  readonly command: string | null;
}

/** What comes after `init`, in order: the first kept run, and CI. */
export function nextSteps(project: Project, ci: CiName, files: readonly PlacedFile[]): readonly NextStep[] {
  const { node, lockFile } = project;
  const step = (what: string, command: string | null = null): NextStep => ({ what, command });
  const isLeft = (path: string): boolean => files.some((file) => file.path === path && file.isThere);
  const isNpm = lockFile === null || lockFile === 'package-lock.json' || lockFile === 'npm-shrinkwrap.json';
  return [
    ...(project.folder === '.' ? [] : [step('go to the project', `cd '${project.folder.replaceAll("'", `'\\''`)}'`)]),
    ...(node === null || node.hasKilldrill
      ? []
      : [
          step(
            'CI installs what package.json names',
            `npm install --save-dev --save-exact killdrill@${packageVersion()}`,
          ),
        ]),
    step('read the scenario, and say what is wrong with it', `npx killdrill validate ${FIRST_SCENARIO}`),
    step('drill it, until it passes', `npx killdrill run ${FIRST_SCENARIO} --environment embedded`),
    step('keep the run', 'npx killdrill promote reports/<run> --name first-stop'),
    step('hold the fleet to it', 'npx killdrill gate --profile pr --environment embedded'),
    ...(isLeft(FIRST_GATE) && ci !== 'none' ? [step(`see that ${FIRST_GATE} has the profiles pr and nightly`)] : []),
    ...(ci === 'gitlab' ? [step(`include it in .gitlab-ci.yml: include: [{ local: ${CI_FILES.gitlab} }]`)] : []),
    ...(ci !== 'none' && !isNpm
      ? [step(`${CI_FILES[ci]} installs by npm, and there is a ${lockFile}: change that line`)]
      : []),
    step('commit scenarios/ and the CI file, and have git ignore reports/ and killdrill-reports/'),
  ];
}
