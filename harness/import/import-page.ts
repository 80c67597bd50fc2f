import { effectsOfRuns } from '../traffic/ordinary.ts';
import { drillEndMs } from '../scenario/drill-end.ts';
import { FINDING_KINDS } from './finding.ts';
import type { FindingKind } from './finding.ts';
import type { ImportedIncident } from './import-incident.ts';

interface ImportSummary {
  readonly runs: number;
  readonly effects: number;
  readonly stops: number;
  readonly releases: number;
  /** The longest that the drill's traffic lasts. */
  readonly upToSeconds: number;
}

/** What came of an incident, in figures. */
export function importSummary({ scenario, trace }: ImportedIncident): ImportSummary {
  const kinds = scenario.timeline.map(({ kind }) => kind);
  return {
    runs: trace.runs.length,
    effects: effectsOfRuns(trace.runs),
    stops: kinds.filter((kind) => kind === 'flip').length,
    releases: kinds.filter((kind) => kind === 'release').length,
    upToSeconds: Math.round(drillEndMs(scenario) / 1_000),
  };
}

/**
 * What came of an incident and what did not, as a page.
 *
 * @param wrapped breaks a paragraph into lines
 */
export function importPage(incident: ImportedIncident, wrapped: (line: string) => string): string {
  const { runs, effects, stops, releases, upToSeconds } = importSummary(incident);
  const found = `${runs} runs with ${effects} effects, ${stops} stops and ${releases} releases; a drill of up to ${upToSeconds} s.`;
  const sections = (Object.keys(FINDING_KINDS) as FindingKind[]).flatMap((kind) => {
    const own = incident.findings.filter((finding) => finding.kind === kind);
    if (own.length === 0) return [];
    return [`\n## ${FINDING_KINDS[kind]}\n`, ...own.map(({ sentence }) => wrapped(`- ${sentence}.`))];
  });
  return `${[`# ${incident.scenario.name}, imported`, '', wrapped(found), ...sections].join('\n')}\n`;
}
