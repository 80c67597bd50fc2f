import { KilldrillError, messageOf } from '../../src/errors.ts';
import type { Environment, EnvironmentName } from './environment.ts';
import type { Guardian } from './guardian.ts';
import { noServers } from './none.ts';

/** What can be asked for; `none` is for fleets with a switch of their own. */
export type EnvironmentChoice = EnvironmentName | 'auto';

/** Those that have servers. */
export const ENVIRONMENT_NAMES: readonly Exclude<EnvironmentName, 'none'>[] = [
  'containers',
  'local',
  'embedded',
  'external',
];
export const ENVIRONMENT_CHOICES: readonly EnvironmentChoice[] = ['auto', ...ENVIRONMENT_NAMES, 'none'];

/** What `auto` tries, in this order. Never `external`: a drill goes to somebody's servers by name only. */
const AUTO_ORDER = ['containers', 'local', 'embedded'] as const satisfies readonly EnvironmentName[];

export interface EnvironmentGround {
  /** The drill's folder, made. */
  readonly folder: string;
  readonly guardian: Guardian;
}

/**
 * Brings up the environment that was asked for; with `auto` the first that works with what is here already (it downloads
 * nothing), and its facts say why the ones before it do not.
 *
 * @throws KilldrillError of the environment; with `auto` `NO_ENVIRONMENT` when none works.
 */
export async function startEnvironment(
  choice: EnvironmentChoice,
  ground: EnvironmentGround,
  signal: AbortSignal,
): Promise<Environment> {
  if (choice !== 'auto') return startNamed(choice, { ...ground, download: true }, signal);
  const refusals: string[] = [];
  for (const name of AUTO_ORDER) {
    signal.throwIfAborted();
    try {
      return chosen(await startNamed(name, { ...ground, download: false }, signal), refusals);
    } catch (error) {
      refusals.push(`not ${name}: ${messageOf(error)}`);
    }
  }
  signal.throwIfAborted();
  throw new KilldrillError('NO_ENVIRONMENT', `no environment works here; ${refusals.join('; ')}`);
}

/** Brings up one environment by its name, and loads no other; `download` is whether images may be fetched for it. */
async function startNamed(
  name: EnvironmentName,
  ground: EnvironmentGround & { readonly download: boolean },
  signal: AbortSignal,
): Promise<Environment> {
  switch (name) {
    case 'embedded': {
      const { startEmbedded } = await import('./embedded.ts');
      return startEmbedded(ground);
    }
    case 'none':
      return noServers();
    case 'local': {
      const { startLocal } = await import('./local.ts');
      return startLocal(ground);
    }
    case 'containers': {
      const { startContainers } = await import('./containers.ts');
      return startContainers(ground, signal);
    }
    case 'external': {
      const { startExternal } = await import('./external.ts');
      return startExternal(ground);
    }
    default:
      throw new TypeError(`unknown environment ${String(name satisfies never)}`);
  }
}

function chosen(environment: Environment, refusals: readonly string[]): Environment {
  const { facts } = environment;
  const why = refusals.length === 0 ? 'the first that auto tries' : refusals.join('; ');
  return { ...environment, facts: { ...facts, environment: `${facts['environment']}; chosen by auto: ${why}` } };
}
