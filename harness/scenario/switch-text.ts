import { GLOBAL_TARGET, SCOPES } from '../../src/switch.ts';
import type { Switch } from '../../src/switch.ts';
import { LIMITS } from './limits.ts';
import { LINE } from './line.ts';
import { nearest } from './nearest.ts';
import { SELECTORS, isSelector, scopeOfSelector } from './selectors.ts';

/** Why a text names no switch, as the two lines of a leaf's message. */
export interface NoSwitch {
  readonly expected: string;
  readonly fix: string;
}

const EXPECTED = 'a switch such as tenant:acme, a selector such as $busiest, or global';

/** Reads a switch in one word: `tenant:acme`, `capability:write/*`, a selector (its scope is known), or `global`. */
export function readSwitch(text: string): Switch | NoSwitch {
  if (isSelector(text)) return readSelector(text);
  const colon = text.indexOf(':');
  const word = colon < 0 ? text : text.slice(0, colon);
  const target = colon < 0 ? '' : text.slice(colon + 1);
  const scope = SCOPES.find((one) => one === word);
  if (scope === undefined) {
    const meant = nearest(word, SCOPES);
    return { expected: EXPECTED, fix: meant === null ? 'write for example tenant:acme' : `did you mean '${meant}'?` };
  }
  if (scope === 'global') {
    if (colon < 0 || target === GLOBAL_TARGET) return { scope, target: GLOBAL_TARGET };
    return { expected: EXPECTED, fix: 'write global, or choose a narrower scope' };
  }
  if (target.length > 0 && target.length <= LIMITS.targetLength && LINE.test(target)) return { scope, target };
  return { expected: `${scope}:NAME, of one line`, fix: `name the ${scope}, for example ${scope}:acme` };
}

function readSelector(text: string): Switch | NoSwitch {
  const scope = scopeOfSelector(text);
  if (scope !== null) return { scope, target: text };
  const names = Object.keys(SELECTORS);
  const meant = nearest(text, names);
  return {
    expected: `one of the selectors ${names.join(', ')}, or a switch such as tenant:acme`,
    fix: meant === null ? 'write one of them' : `did you mean '${meant}'?`,
  };
}

/** The word that reads back as this switch. */
export function writeSwitch({ scope, target }: Switch): string {
  return scope === 'global' ? scope : `${scope}:${target}`;
}
