import type { CiName } from './ci-names.ts';
import { refusedInit } from './init-error.ts';
import type { Project } from './read-project.ts';

/** The CI that gets a file, and why it is that one. */
export interface ChosenCi {
  readonly name: CiName;
  readonly because: string;
}

const CALLED = { github: 'GitHub', gitlab: 'GitLab' } as const;

/**
 * The CI that was asked for, or else the only one that something speaks for: neither none nor two is a reason to guess. In a
 * folder of a larger repository there is none, since a CI reads only what is at the repository's root.
 *
 * @throws KilldrillError `USAGE` when a CI is asked for there
 */
export function chooseCi(project: Project, asked: CiName | undefined): ChosenCi {
  const { ci, repository } = project;
  if (repository !== null && asked !== undefined && asked !== 'none') {
    throw refusedInit(
      `--ci ${asked} writes for the root of a repository, ${CALLED[asked]} reads nothing of it elsewhere, and '${project.folder}' is in the repository '${repository.root}'; ${mendOf(repository.pathInIt, asked)}, and say --ci none here`,
    );
  }
  if (asked !== undefined) return { name: asked, because: `--ci ${asked}` };
  if (repository !== null) {
    const mend = mendOf(repository.pathInIt, ci[0]?.name ?? null);
    return {
      name: 'none',
      because: `CI is read at the root of the repository, which is '${repository.root}'; ${mend}`,
    };
  }
  const [only, other] = ci;
  if (only !== undefined && other === undefined) return only;
  const found =
    only === undefined
      ? 'nothing says which there is'
      : `there is more than one: ${ci.map(({ because }) => because).join(' and ')}`;
  return { name: 'none', because: `${found}; say --ci github, gitlab or none` };
}

function mendOf(path: string, ci: CiName | null): string {
  const github = `add a step with killdrill's action and 'folder: ${path}' to a workflow there`;
  const gitlab = `add a job there that does 'cd ${path}' first`;
  return `run init there, or ${ci === 'github' ? github : ci === 'gitlab' ? gitlab : `${github} (on GitLab ${gitlab})`}`;
}
