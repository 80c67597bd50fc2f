import { CI_FILES, FIRST_GATE, FIRST_SCENARIO } from './plan-files.ts';
import type { CiName } from './ci-names.ts';
import type { Project } from './read-project.ts';
import { tarball } from './tarball.ts';
import type { PlacedFile } from './write-files.ts';

/** A thing to do, and the command that does it; null for what a hand does. */
export interface NextStep {
  readonly what: string;
  readonly command: string | null;
}

const step = (what: string, command: string | null = null): NextStep => ({ what, command });

/** What comes after `init`, in order: the first kept run, and CI. */
export function nextSteps(project: Project, ci: CiName, files: readonly PlacedFile[]): readonly NextStep[] {
  const { node, lockFile } = project;
  const isLeft = (path: string): boolean => files.some((file) => file.path === path && file.isThere);
  const isNpm = lockFile === null || lockFile === 'package-lock.json' || lockFile === 'npm-shrinkwrap.json';
  const lacksKilldrill = node?.hasKilldrill !== true;
  const installed = node === null ? [tarball()] : [tarball(), 'package.json with its lock file'];
  const kept = ['scenarios/', ...(lacksKilldrill ? installed : []), ...(ci === 'none' ? [] : [CI_FILES[ci]])];
  const made = ['reports/', 'killdrill-reports/', ...(node === null ? ['node_modules/'] : [])];
  return [
    ...(project.folder === '.' ? [] : [step('go to the project', `cd '${project.folder.replaceAll("'", `'\\''`)}'`)]),
    ...(lacksKilldrill ? installSteps(node === null) : []),
    step('read the scenario, and say what is wrong with it', `npx --no-install killdrill validate ${FIRST_SCENARIO}`),
    step('drill it, until it passes', `npx --no-install killdrill run ${FIRST_SCENARIO} --environment embedded`),
    step('keep the run', 'npx --no-install killdrill promote reports/<run> --name first-stop'),
    step('hold the fleet to it', 'npx --no-install killdrill gate --profile pr --environment embedded'),
    ...(isLeft(FIRST_GATE) && ci !== 'none' ? [step(`see that ${FIRST_GATE} has the profiles pr and nightly`)] : []),
    ...(ci === 'gitlab' ? [step(`include it in .gitlab-ci.yml: include: [{ local: ${CI_FILES.gitlab} }]`)] : []),
    ...(ci !== 'none' && !isNpm
      ? [step(`${CI_FILES[ci]} installs by npm, and there is a ${lockFile}: change that line`)]
      : []),
    step(`commit ${listed(kept)}, and have git ignore ${listed(made)}`),
  ];
}

/** Never by name: what is on no registry is there whoever takes the name. */
function installSteps(isWithoutPackage: boolean): readonly NextStep[] {
  const flags = isWithoutPackage ? '--no-save' : '--save-dev --save-exact';
  return [
    step(
      `killdrill is on no registry yet: make ${tarball()} in a clone of it, and copy that here`,
      `(cd <clone> && npm ci && npm pack) && cp <clone>/${tarball()} .`,
    ),
    step(
      isWithoutPackage ? 'install it here, as CI does' : 'install it: CI installs what package.json names',
      `npm install ${flags} ./${tarball()}`,
    ),
  ];
}

function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
