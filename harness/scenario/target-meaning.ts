import { GLOBAL_TARGET, capabilityMatches } from '../../src/switch.ts';
import type { Scope } from '../../src/switch.ts';
import { CAPABILITY_NAMES } from '../traffic/capabilities.ts';
import type { Complaint } from './complaint.ts';
import { nearest } from './nearest.ts';
import { SELECTORS, isSelector, scopeOfSelector } from './selectors.ts';

type Path = Complaint['path'];

/** What is wrong with the target of a switch of this scope. */
export function targetMeaning(path: Path, scope: Scope, target: string | undefined): readonly Complaint[] {
  if (scope === 'global') {
    if (target === undefined || target === GLOBAL_TARGET) return [];
    const expected = `no target, or '${GLOBAL_TARGET}', for scope global`;
    return [{ path, found: `'${target}'`, expected, fix: 'remove it, or choose a narrower scope' }];
  }
  if (target === undefined) {
    const selector = Object.keys(SELECTORS).find((name) => SELECTORS[name] === scope);
    const expected = `the name of the ${scope} that it is about`;
    return [{ path, found: 'nothing', expected, fix: `add it, for example target: ${selector ?? 'acme'}` }];
  }
  return namedMeaning(path, scope, target);
}

/** What is wrong with a target that is there, of a scope that has several. */
export function namedMeaning(path: Path, scope: Scope, target: string): readonly Complaint[] {
  if (isSelector(target)) return selectorMeaning(path, scope, target);
  return scope === 'capability' ? capabilityMeaning(path, target) : [];
}

function selectorMeaning(path: Path, scope: Scope, target: string): readonly Complaint[] {
  const of = scopeOfSelector(target);
  if (of === scope) return [];
  const found = `'${target}'`;
  if (of !== null) {
    return [{ path, found, expected: `a target of scope ${scope}`, fix: `write scope: ${of}, or another target` }];
  }
  const names = Object.keys(SELECTORS);
  const meant = nearest(target, names);
  const fix = meant === null ? 'write one of them, or a name' : `did you mean '${meant}'?`;
  return [{ path, found, expected: `one of the selectors ${names.join(', ')}`, fix }];
}

/** A pattern, or a name, that no effect of the traffic has would stop nothing. */
export function capabilityMeaning(path: Path, target: string): readonly Complaint[] {
  if (CAPABILITY_NAMES.some((name) => capabilityMatches(target, name))) return [];
  const meant = nearest(target, CAPABILITY_NAMES);
  const expected = `a capability that the traffic uses: ${CAPABILITY_NAMES.join(', ')}, or a pattern such as write/*`;
  const fix = meant === null ? 'write one of them' : `did you mean '${meant}'?`;
  return [{ path, found: `'${target}'`, expected, fix }];
}
