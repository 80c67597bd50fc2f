import { userInfo } from 'node:os';

/** Who ran a drill, as far as it was told. */
export interface DrilledBy {
  /** Null when nobody told. */
  readonly name: string | null;
  /** Whose word that is: `--by`, a variable of the CI, `the login`, or `not told`. */
  readonly toldBy: string;
}

/** Variables in which CI systems name the person behind a job; of a job that is run again, whoever asked for that. */
const CI_VARIABLES = [
  'GITHUB_TRIGGERING_ACTOR',
  'GITHUB_ACTOR',
  'GITLAB_USER_LOGIN',
  'BUILD_REQUESTEDFOR',
  'CIRCLE_USERNAME',
  'BUILDKITE_BUILD_CREATOR',
];

/**
 * Who runs a drill: as said with `--by`, else the person that the CI names, else whoever is logged in. The login of a CI's
 * machine is nobody: there it is not told.
 */
export function drilledBy(by: string | undefined, variables: NodeJS.ProcessEnv, login = loginName): DrilledBy {
  if (by !== undefined) return { name: by, toldBy: '--by' };
  const variable = CI_VARIABLES.find((name) => (variables[name] ?? '').trim() !== '');
  if (variable !== undefined) return { name: (variables[variable] ?? '').trim(), toldBy: variable };
  const isCi = !['', '0', 'false'].includes((variables['CI'] ?? '').toLowerCase());
  const name = isCi ? null : login();
  return name === null ? { name, toldBy: 'not told' } : { name, toldBy: 'the login' };
}

function loginName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null; // a user that the system has no name for
  }
}
