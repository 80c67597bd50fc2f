import { KilldrillError } from '../../src/errors.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { planDrill } from '../traffic/plan-drill.ts';
import { effectsOfRuns, isOrdinary } from '../traffic/ordinary.ts';
import { TRACE_VERSION } from '../traffic/trace.ts';
import type { Trace, TraceRun } from '../traffic/trace.ts';
import { afterCauses, MatchSample, sameMoments } from './clock-skew.ts';
import { Findings } from './finding.ts';
import type { ImportFinding } from './finding.ts';
import { IncidentClock } from './incident-clock.ts';
import { runsOfEffects } from './incident-runs.ts';
import { scenarioOf } from './incident-scenario.ts';
import { keepFlips, timelineOf } from './incident-timeline.ts';
import type { KeptFlip } from './incident-timeline.ts';
import { KeptEffects } from './keep-effects.ts';
import type { AlertMapping, EffectMapping, FlipMapping, Mapping } from './mapping-schema.ts';
import { readAlert, readFlip } from './read-record.ts';
import { eachRow } from './read-rows.ts';
import type { RecordFile } from './read-rows.ts';
import type { AlertRecord, FlipRecord } from './records.ts';
import { Redactor } from './redact.ts';
import { refillHolds } from './refill.ts';
import { scanEffects } from './scan-effects.ts';
import type { EffectScan } from './scan-effects.ts';
import { lengthText, timeText } from './times.ts';

/** What there is of an incident. */
export interface IncidentFiles {
  readonly mapping: Mapping;
  readonly flips: RecordFile<FlipMapping>;
  readonly alerts: RecordFile<AlertMapping> | null;
  /** The record first, spans after it. At least one. */
  readonly effects: readonly RecordFile<EffectMapping>[];
  /** For hashing names; the mapping's own salt goes before it. */
  readonly salt: string;
}

/** An incident as a drill. */
export interface ImportedIncident {
  readonly scenario: Scenario;
  readonly trace: Trace;
  readonly findings: readonly ImportFinding[];
}

/** Flips and alerts are held in memory; more of them are no incident. */
const MAX_FLIPS = 10_000;
const MAX_ALERTS = 100_000;
/** Flips lie among the effects, or this close to them. */
const NEAR_MS = 60_000;
const TRACE_NAME = 'trace.jsonl.gz';

/**
 * Makes a drill of an incident's records: a first look at the effects finds whose clock is off, a second one keeps what lies
 * around the flips. However large the files are, only what the drill repeats is held in memory.
 *
 * @throws KilldrillError `RECORD_UNREADABLE` naming file and line; `CLOCKS_DISAGREE`; `INCIDENT_EMPTY`; `INCIDENT_TOO_LARGE`;
 * `INCIDENT_TOO_LONG`
 */
export async function importIncident(files: IncidentFiles): Promise<ImportedIncident> {
  const { mapping } = files;
  const findings = new Findings();
  const read = await readFlips(files, findings);
  const scans = await scanAll(files.effects, read, findings);
  const corrections = correct(files, scans, findings);
  const alerts = await readAlerts(files, read, findings);
  refuseElsewhere(read, scans, corrections, files);
  const flips = keepFlips(read, alerts, findings);
  const { before, after, longestGap, pause } = mapping.window;
  const clock = new IncidentClock(marksOf(flips), { beforeMs: before, afterMs: after, longestGapMs: longestGap });
  for (const cut of clock.cuts()) findings.add('left out', cut);
  const redactor = new Redactor(mapping.redact, mapping.redact.salt ?? files.salt);
  const timeline = timelineOf(flips, clock, redactor, mapping.queue);
  const kept = await keepAll(files, corrections, new KeptEffects(clock, redactor), findings);
  const named = new Set(timeline.flatMap((entry) => ('scope' in entry && entry.scope === 'run' ? [entry.target] : [])));
  const runs = runsOfEffects(kept.all, { pauseMs: pause, writes: mapping.writes ?? null, named }, findings);
  const filled = refillHolds(runs, timeline, clock.lengthMs, findings);
  const trace = traceOf(filled, kept.all.length);
  redactor.tell(findings);
  tellAlways(findings, runs, flips);
  const scenario = scenarioOf({ mapping, timeline, trace, clock, file: TRACE_NAME }, findings);
  tellPlanted(scenario, findings);
  return { scenario, trace, findings: findings.all() };
}

async function readFlips({ flips: file }: IncidentFiles, findings: Findings): Promise<readonly FlipRecord[]> {
  const flips: FlipRecord[] = [];
  const doubts = await eachRow(file, (row) => {
    flips.push(readFlip(row, file.name, file.mapping));
    if (flips.length > MAX_FLIPS) throw tooMany(file.name, 'flips', MAX_FLIPS);
  });
  for (const doubt of doubts) findings.add('assumed', doubt);
  if (flips.length === 0)
    throw new KilldrillError('INCIDENT_EMPTY', `${file.name}: found no flip, expected at least one stop`);
  return flips;
}

async function readAlerts(
  { alerts: file, flips: ofFlips }: IncidentFiles,
  flips: readonly FlipRecord[],
  findings: Findings,
): Promise<ReadonlyMap<string, AlertRecord>> {
  const alerts = new Map<string, AlertRecord>();
  if (file === null) {
    findings.count(
      'not reconstructed',
      flips.filter(({ alert }) => alert !== null).length,
      'flips name an alert, and no alerts were given: those stops go straight to the store',
    );
    return alerts;
  }
  const doubts = await eachRow(file, (row) => {
    const alert = readAlert(row, file.name, file.mapping);
    alerts.set(alert.id, alert);
    if (alerts.size > MAX_ALERTS) throw tooMany(file.name, 'alerts', MAX_ALERTS);
  });
  for (const doubt of doubts) findings.add('assumed', doubt);
  const caused = flips.flatMap(({ alert, atMs }) => {
    const there = alert === null ? undefined : alerts.get(alert);
    return there === undefined ? [] : [{ alert: there, delayMs: atMs - there.atMs }];
  });
  // The flips' clock is the one that counts: what is off is the alerts'.
  const { addMs, sentence } = afterCauses(
    caused.map(({ delayMs }) => delayMs),
    { source: ofFlips.name, with: file.name, moved: file.name },
  );
  if (sentence !== null) findings.add('corrected', sentence);
  findings.count(
    'left out',
    alerts.size - new Set(caused.map(({ alert }) => alert.id)).size,
    'alerts that no flip names: what they asked for was not done, or nobody knows',
  );
  return new Map([...alerts].map(([id, alert]) => [id, { ...alert, atMs: alert.atMs - addMs }]));
}

function tooMany(name: string, what: string, most: number): KilldrillError {
  return new KilldrillError(
    'INCIDENT_TOO_LARGE',
    `${name}: found more than ${most} ${what}; give a file of those that matter`,
  );
}

async function scanAll(
  files: IncidentFiles['effects'],
  flips: readonly FlipRecord[],
  findings: Findings,
): Promise<readonly EffectScan[]> {
  const byId = new Map(flips.map((flip) => [flip.id, flip]));
  const sample = files.length > 1 ? new MatchSample() : null;
  const scans: EffectScan[] = [];
  for (const [index, file] of files.entries()) {
    const scan = await scanEffects(file, {
      flips: byId,
      offer: index === 0 ? sample : null,
      compare: index === 0 ? null : sample,
    });
    if (scan.effects === 0)
      throw new KilldrillError('INCIDENT_EMPTY', `${file.name}: found no effect in ${scan.rows} rows, expected some`);
    for (const doubt of scan.doubts) findings.add('assumed', doubt);
    const others = `of ${scan.rows} rows of ${file.name} are no effects: they name no capability`;
    findings.count('left out', scan.rows - scan.effects, others);
    const first = `${file.name}:${scan.firstOutOfOrder ?? 0}`;
    findings.count(
      'corrected',
      scan.outOfOrder,
      `rows of ${file.name} come after a later one, the first of them at ${first}: they were put in order`,
    );
    scans.push(scan);
  }
  return scans;
}

/** What to add to the times of each file of effects. */
function correct(
  { effects, flips }: IncidentFiles,
  scans: readonly EffectScan[],
  findings: Findings,
): readonly number[] {
  const [first, second] = effects;
  const ofFirst = afterCauses(scans[0]?.delaysMs ?? [], { source: first?.name ?? '', with: flips.name });
  if (ofFirst.sentence !== null) findings.add('corrected', ofFirst.sentence);
  if (second === undefined) return [ofFirst.addMs];
  const ofSecond = sameMoments(scans[1]?.differencesMs ?? [], { source: second.name, with: first?.name ?? '' });
  if (ofSecond.sentence !== null) findings.add('corrected', ofSecond.sentence);
  return [ofFirst.addMs, ofFirst.addMs + ofSecond.addMs];
}

/** @throws KilldrillError `CLOCKS_DISAGREE` when the flips lie where there are no effects. */
function refuseElsewhere(
  flips: readonly FlipRecord[],
  scans: readonly EffectScan[],
  addMs: readonly number[],
  { flips: file, effects }: IncidentFiles,
): void {
  const fromMs = Math.min(...scans.map((scan, index) => scan.fromMs + (addMs[index] ?? 0)));
  const toMs = Math.max(...scans.map((scan, index) => scan.toMs + (addMs[index] ?? 0)));
  const outside = flips.find(({ kind, atMs }) => kind === 'stop' && (atMs < fromMs - NEAR_MS || atMs > toMs + NEAR_MS));
  if (outside === undefined) return;
  const names = effects.map(({ name }) => name).join(' and ');
  const sentence = `found the stop '${outside.id}' at ${timeText(outside.atMs)}, and effects from ${timeText(fromMs)} to ${timeText(toMs)} only`;
  const fix = `say how far its clock is off, for example offset: -120m for ${names} in the mapping, or give the effects of that time`;
  throw new KilldrillError('CLOCKS_DISAGREE', `${file.name}:${outside.line}: ${sentence}; ${fix}`);
}

async function keepAll(
  files: IncidentFiles,
  addMs: readonly number[],
  kept: KeptEffects,
  findings: Findings,
): Promise<KeptEffects> {
  const isJoined = files.effects.length > 1;
  for (const [index, file] of files.effects.entries())
    await kept.read(file, addMs[index] ?? 0, isJoined && index === 0);
  if (kept.all.length === 0)
    throw new KilldrillError(
      'INCIDENT_EMPTY',
      'found no effect around the flips, expected some: there is nothing to stop',
    );
  findings.count('left out', kept.outside, 'effects lie before, after or in what was cut out of the incident');
  findings.count('corrected', kept.matched, `spans are effects that the record has as well: they count once`);
  findings.count('assumed', kept.withoutFeature, "effects name no feature: it is 'unknown'");
  findings.count('assumed', kept.withoutAgent, "effects name no agent: it is 'unknown'");
  findings.count(
    'assumed',
    kept.all.filter(({ blocked }) => blocked).length,
    'effects that the switch refused are planned all the same: the drill shows whether it does again',
  );
  return kept;
}

function marksOf(flips: readonly KeptFlip[]): readonly number[] {
  return flips.map(({ askedMs }) => askedMs);
}

function traceOf(runs: readonly TraceRun[], effects: number): Trace {
  const generator = { name: 'import', version: 1, effects, runs: runs.length };
  return { header: { version: TRACE_VERSION, seed: 0, generator }, runs };
}

/** What no record of effects has. */
function tellAlways(findings: Findings, runs: readonly TraceRun[], flips: readonly KeptFlip[]): void {
  findings.add('not reconstructed', 'what was sent: the drill’s effects carry made-up payloads');
  findings.add(
    'not reconstructed',
    'the queue, timers and retries of that day: only what arrived is on record, and each step is a plain call',
  );
  findings.add(
    'not reconstructed',
    'what runs that were at work at a stop would have done next: their plans end with what is on record',
  );
  findings.add(
    'not reconstructed',
    'what else failed that day, such as servers and networks: add faults to the timeline',
  );
  if (!runs.some(({ parent }) => parent !== undefined))
    findings.add('not reconstructed', 'which run started which: no effect names a parent');
  if (flips.some(({ mode }) => mode === 'halt_noncritical')) {
    findings.add(
      'not reconstructed',
      'what was critical: add fleet.critical to the scenario, or a halt_noncritical lets nothing pass',
    );
  }
}

function tellPlanted(scenario: Scenario, findings: Findings): void {
  const { trace } = planDrill(scenario);
  const planted = trace.runs.filter((run) => !isOrdinary(run));
  const what = `${planted.length} runs of ${effectsOfRuns(planted)} effects are added when it runs (traffic.primed): calls that are open at the first stop, timers, retries and children that fall due while it is on, and probes`;
  findings.add('assumed', what);
  const gone = scenario.timeline.find((entry) => entry.kind === 'flip');
  if (gone?.kind === 'flip' && gone.scope === 'run') {
    findings.add(
      'assumed',
      `the run that the first stop names is replaced by such a run (${lengthText(scenario.holdMs)} of hold)`,
    );
  }
}
