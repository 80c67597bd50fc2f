import { isTarget } from '../../src/alerts/alert.ts';
import { GLOBAL_TARGET, SCOPES } from '../../src/switch.ts';
import type { Scope, Switch } from '../../src/switch.ts';
import { usage } from './usage.ts';

/** Whether a word of the command line is the name of a scope. */
export function isScope(name: string | undefined): name is Scope {
  return SCOPES.some((scope) => scope === name);
}

/**
 * The switch that words of the command line name, such as `tenant acme`; nothing at all is `global`. What is no switch is
 * refused: a slip of the hand must not become a wider stop than was meant.
 *
 * @throws KilldrillError `USAGE`
 */
export function switchOf([scope = 'global', ...targets]: readonly string[]): Switch {
  if (!isScope(scope)) {
    throw usage(`'${scope}' is no scope; expected one of ${SCOPES.join(', ')}, and its target, such as: tenant acme`);
  }
  const [target = scope === 'global' ? GLOBAL_TARGET : undefined, ...others] = targets;
  if (target === undefined) throw usage(`'${scope}' is a scope; expected its target after it, such as: ${scope} acme`);
  if (others.length > 0) throw usage(`'${others.join(' ')}' is too much; expected one scope and one target`);
  if (isTarget(scope, target) && target !== '') return { scope, target };
  throw usage(`'${target}' is no target of scope '${scope}'${scope === 'global' ? `; expected nothing after it` : ''}`);
}
