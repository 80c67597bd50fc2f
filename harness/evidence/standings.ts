import type { Verdict } from '../checkers/checker.ts';
import type { Evidence, EvidenceStop, RequirementStanding, Standing } from './evidence-file.ts';
import { DOCUMENTS, EVIDENCE_TOWARDS, REQUIREMENTS } from './requirements.ts';
import type { Requirement } from './requirements.ts';

/** What a drill has shown, as far as requirements are concerned. */
export interface Shown extends Pick<Evidence, 'stops'> {
  readonly verdict: Evidence['result']['verdict'];
  readonly properties: readonly { readonly name: string; readonly verdict: Verdict }[];
  readonly isSimulated: boolean;
}

/** What each requirement has from a drill. A drill that did not pass is evidence towards nothing. */
export function standingsOf(shown: Shown): readonly RequirementStanding[] {
  return REQUIREMENTS.map((requirement) => {
    const { id, document, level, asks, cannotShow } = requirement;
    const properties = shown.properties
      .filter(({ name }) => EVIDENCE_TOWARDS[name]?.includes(id) === true)
      .map(({ name, verdict }) => ({ name, verdict }));
    const { name, version: documentVersion } = DOCUMENTS[document];
    const [standing, why] = standingOf(requirement, properties, shown);
    return { id, document: name, documentVersion, level, asks, standing, why, properties, cannotShow };
  });
}

function standingOf(
  { wants }: Requirement,
  properties: Shown['properties'],
  { verdict, stops, isSimulated }: Shown,
): readonly [Standing, string] {
  const named = (of: Verdict): readonly string[] => properties.flatMap((one) => (one.verdict === of ? [one.name] : []));
  if (isSimulated) return ['nothing shown', 'it was the simulated fleet of killdrill that was drilled'];
  const wanted = stops.filter((stop) => wants === null || isWanted(wants, stop));
  if (wanted.length === 0) return ['nothing shown', `the drill has no such stop as it takes: ${wants ?? 'any'}`];
  const failed = named('fail');
  if (failed.length > 0) return ['evidence against it', `${failed.join(', ')} failed`];
  if (verdict !== 'pass') return ['nothing shown', `the drill did not pass: its verdict is ${verdict}`];
  if (!wanted.some(({ answer }) => answer === 'acknowledged'))
    return ['nothing shown', 'no stop that it is about was acknowledged'];
  const passed = named('pass');
  if (passed.length === 0) return ['nothing shown', 'none of the properties that bear on it was judged to hold'];
  return ['evidence towards it', `${passed.join(', ')} held`];
}

function isWanted(wants: NonNullable<Requirement['wants']>, { scope, path }: EvidenceStop): boolean {
  if (wants === 'a global stop') return scope === 'global';
  // What a fleet's own switch writes down is not looked at.
  if (wants === 'a stop on record') return path !== 'levers';
  return path !== 'alert' && path !== 'detector';
}
