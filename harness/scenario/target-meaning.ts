import { GLOBAL_TARGET, capabilityMatches } from '../../src/switch.ts';
import type { Scope } from '../../src/switch.ts';
import { FIRST_PRIMED_RUN } from '../traffic/resolve-selectors.ts';
import type { Complaint } from './complaint.ts';
import { unknownName } from './known-names.ts';
import type { KnownNames } from './known-names.ts';
import { nearest } from './nearest.ts';
import { SELECTORS, isSelector, scopeOfSelector } from './selectors.ts';

type Path = Complaint['path'];

/** What is wrong with the target of a switch of this scope. */
export function targetMeaning(
  path: Path,
  scope: Scope,
  target: string | undefined,
  known: KnownNames,
): readonly Complaint[] {
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
  return namedMeaning(path, scope, target, known);
}

/** What is wrong with a target that is there, of a scope that has several. */
export function namedMeaning(path: Path, scope: Scope, target: string, known: KnownNames): readonly Complaint[] {
  if (isSelector(target)) return selectorMeaning(path, scope, target, known);
  if (scope === 'capability') return capabilityMeaning(path, target, known);
  const unknown = unknownName(scope, target, known);
  return unknown === null ? [] : [{ path, ...unknown }];
}

function selectorMeaning(path: Path, scope: Scope, target: string, known: KnownNames): readonly Complaint[] {
  const of = scopeOfSelector(target);
  const found = `'${target}'`;
  if (of === 'run' && scope === 'run' && unknownName(scope, FIRST_PRIMED_RUN, known) !== null) {
    const fix = 'write traffic.primed: true, or the id of a run';
    return [{ path, found, expected: 'the id of a run of the trace, which has no primed runs', fix }];
  }
  if (of === scope) return [];
  if (of !== null) {
    return [{ path, found, expected: `a target of scope ${scope}`, fix: `write scope: ${of}, or another target` }];
  }
  const names = Object.keys(SELECTORS);
  const meant = nearest(target, names);
  const fix = meant === null ? 'write one of them, or a name' : `did you mean '${meant}'?`;
  return [{ path, found, expected: `one of the selectors ${names.join(', ')}`, fix }];
}

/** A pattern, or a name, that no effect of the traffic has would stop nothing. */
export function capabilityMeaning(path: Path, target: string, { capability: names }: KnownNames): readonly Complaint[] {
  if (names === undefined || names.some((name) => capabilityMatches(target, name))) return [];
  const meant = nearest(target, names);
  const expected = `a capability that the traffic uses: ${names.join(', ')}, or a pattern such as write/*`;
  const fix = meant === null ? 'write one of them' : `did you mean '${meant}'?`;
  return [{ path, found: `'${target}'`, expected, fix }];
}
