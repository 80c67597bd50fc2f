import { chooseCi } from '../../init/choose-ci.ts';
import type { ChosenCi } from '../../init/choose-ci.ts';
import { findFleet } from '../../init/find-fleet.ts';
import type { FoundFleet } from '../../init/find-fleet.ts';
import { nextSteps } from '../../init/next-steps.ts';
import type { NextStep } from '../../init/next-steps.ts';
import { planFiles } from '../../init/plan-files.ts';
import { readProject } from '../../init/read-project.ts';
import type { CiName } from '../../init/ci-names.ts';
import { placeFiles, writeFiles } from '../../init/write-files.ts';
import type { PlacedFile } from '../../init/write-files.ts';
import { printable } from '../../report/wrap.ts';
import { EXIT } from '../exit.ts';
import { data } from '../output.ts';

export interface InitFlags {
  readonly fleet?: string;
  readonly ci?: CiName;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `killdrill init [FOLDER]`: a first scenario, a gate.yaml and a CI workflow, of which nothing replaces what is there. */
export function init(folder: string, { fleet: said, ci: asked, dryRun = false, json }: InitFlags): number {
  const project = readProject(folder);
  const fleet = findFleet(project, said ?? null);
  const ci = chooseCi(project, asked);
  const files = placeFiles(folder, planFiles(project, fleet, ci.name));
  if (!dryRun) writeFiles(folder, files);
  const next = nextSteps(project, ci.name, files);
  if (json === true) {
    const listed = files.map(({ path, what, isThere }) => ({ path, what, state: stateOf(isThere, dryRun) }));
    data(JSON.stringify({ folder, dryRun, fleet, ci, files: listed, next }, null, 2));
  } else data(textOf({ fleet, ci, files, next, dryRun }));
  return EXIT.pass;
}

function stateOf(isThere: boolean, dryRun: boolean): 'left' | 'written' | 'would be written' {
  if (isThere) return 'left';
  return dryRun ? 'would be written' : 'written';
}

interface Told {
  readonly fleet: FoundFleet;
  readonly ci: ChosenCi;
  readonly files: readonly PlacedFile[];
  readonly next: readonly NextStep[];
  readonly dryRun: boolean;
}

function textOf({ fleet, ci, files, next, dryRun }: Told): string {
  const lines = [
    `fleet: ${fleetWords(fleet)}`,
    `CI: ${ci.name} (${ci.because})`,
    '',
    ...files.map(({ path, what, isThere }) =>
      isThere
        ? `left: ${path} (it is there, and nothing is overwritten)`
        : `${stateOf(false, dryRun)}: ${path} (${what})`,
    ),
    '',
    'next:',
    ...next.flatMap(({ what, command }, at) => [`${at + 1}. ${what}`, ...(command === null ? [] : [`   ${command}`])]),
  ];
  return lines.map(printable).join('\n');
}

function fleetWords({ command, guessedFrom }: FoundFleet): string {
  if (command === null)
    return 'killdrill\'s own simulated one; name yours with --fleet, such as --fleet "node worker.js"';
  const words = command.join(' ');
  return guessedFrom === null ? words : `${words}, guessed from ${guessedFrom}; another one with --fleet`;
}
