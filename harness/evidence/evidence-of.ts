import type { EnvironmentFile } from '../bundle/environment-file.ts';
import type { StoreHead } from '../bundle/manifest.ts';
import { indexOf } from '../checkers/index-of.ts';
import type { DrillIndex } from '../checkers/index-of.ts';
import type { PropertyFinding } from '../checkers/run-checkers.ts';
import type { FlipVerdict, Judgement } from '../checkers/verdict-file.ts';
import type { DrillRecord } from '../drill/drill.ts';
import type { FlipEntry } from '../scenario/scenario.ts';
import { takenPath } from '../scenario/taken-path.ts';
import type { DrilledBy } from './drilled-by.ts';
import { EVIDENCE_VERSION } from './evidence-file.ts';
import type { Evidence, EvidenceStop } from './evidence-file.ts';
import type { ProjectState } from './project-state.ts';
import { sealOf } from './seal.ts';
import { standingsOf } from './standings.ts';

/** What nobody but the one who runs a drill can tell. */
export interface Told {
  readonly who: DrilledBy;
  readonly project: ProjectState;
}

export interface EvidenceInput extends Told {
  readonly record: DrillRecord;
  readonly judgement: Judgement;
  /** The fleet's command; null for the simulated fleet. */
  readonly command: readonly string[] | null;
  readonly when: { readonly start: Date; readonly end: Date };
  readonly environment: EnvironmentFile | null;
  readonly killdrill: string;
  readonly bundle: { readonly name: string; readonly manifestSha256: string; readonly storeHead: StoreHead | null };
}

const REMARKS = [
  'Evidence, and no certificate: what this drill shows and does not show of each requirement is said there.',
  'Names of tenants, agents and runs are as in the bundle: nothing is redacted.',
  "This file is not in the bundle's manifest, since it carries the manifest's hash; its own sha256 shows an edit, and no forgery.",
];
const SIMULATED = 'The simulated fleet that comes with killdrill was drilled: this says nothing about agents of yours.';

/** The content of `evidence.json`, sealed. */
export function evidenceOf(input: EvidenceInput): Evidence {
  const { record, judgement, command, when, environment, killdrill, who, project, bundle } = input;
  const { scenario } = record;
  const { verdict, exitCode, worst, properties, expectations, notes } = judgement;
  const stops = stopsOf(indexOf(record), judgement);
  const isSimulated = command === null;
  const { workers, agentsPerWorker, contract } = scenario.fleet;
  const content: Omit<Evidence, 'sha256'> = {
    version: EVIDENCE_VERSION,
    kind: 'killdrill evidence',
    drill: {
      scenario: judgement.scenario,
      seed: judgement.seed,
      properties: scenario.expect.properties === 'all' ? 'all' : [...scenario.expect.properties],
    },
    who: { ...who },
    when: { start: when.start.toISOString(), end: when.end.toISOString() },
    project: { ...project },
    fleet: {
      command: command === null ? null : [...command],
      killdrill,
      workers,
      agentsPerWorker,
      contract: contract === null ? null : { ...contract },
    },
    environment: {
      name: judgement.environment,
      facts: environment?.environment ?? null,
      machine: environment?.machine ?? null,
    },
    stops,
    result: {
      verdict,
      exitCode,
      worst: worst === null ? null : told(worst),
      properties: properties.map(told),
      expectations: expectations.map(told),
      notes: [...notes],
    },
    requirements: [...standingsOf({ verdict, properties, stops, isSimulated })],
    bundle,
    remarks: isSimulated ? [SIMULATED, ...REMARKS] : REMARKS,
  };
  return { ...content, sha256: sealOf(content) };
}

function told({ name, verdict, reason }: PropertyFinding) {
  return { name, verdict, reason };
}

/** Every stop of the timeline, also one that the drill did not come to. */
function stopsOf(index: DrillIndex, { flips }: Judgement): EvidenceStop[] {
  const planned = index.scenario.timeline.filter((entry) => entry.kind === 'flip' || entry.kind === 'release');
  return planned.flatMap((entry, nth) => {
    if (entry.kind !== 'flip') return [];
    const asked = index.flips.find(({ flip }) => flip === nth + 1);
    const stop = index.stops.find(({ flip }) => flip === nth + 1);
    const judged = stop === undefined ? undefined : flips.find(({ revision }) => revision === stop.revision);
    return [
      {
        ...kindOf(index, entry),
        answer: asked?.answer ?? 'not asked for',
        engagement: stop?.id ?? null,
        revision: stop?.revision ?? null,
        released: (stop?.releasedNs ?? null) !== null,
        ...figuresOf(index, judged),
      },
    ];
  });
}

function kindOf({ scenario }: DrillIndex, { scope, target, mode, queue, via }: FlipEntry) {
  return { scope, target, mode, queue, path: takenPath(scenario, { via }) };
}

function figuresOf({ scenario }: DrillIndex, judged: FlipVerdict | undefined) {
  return {
    requestedAt: judged?.requestedAt ?? null,
    durableAt: judged?.durableAt ?? null,
    timeToStop: judged === undefined ? null : timeToStop(scenario.expect.timeToStop, judged),
    effectsAfterFlip: judged?.effectsAfterFlip ?? null,
    effectsAfterBudget: judged?.effectsAfterBudget ?? null,
    effectsAllowed: scenario.expect.effectsAfterBudget,
    suspendedEffects: judged?.suspendedEffects ?? null,
    intentsAfterStop: judged?.intentsAfterStop ?? null,
  };
}

type Budgets = DrillRecord['scenario']['expect']['timeToStop'];

function timeToStop({ connectedMs, cutMs }: Budgets, { timeToStop: found }: FlipVerdict): EvidenceStop['timeToStop'] {
  if (found === null) return null;
  const workers = { stopped: 0, censored: 0, died: 0, not_exposed: 0 };
  for (const { state } of found.workers) workers[state] += 1;
  return { n: found.n, maxMs: found.maxMs, budgetMs: { connected: connectedMs, cut: cutMs }, workers };
}
