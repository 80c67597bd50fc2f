import { existsSync, statSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { RECORD_FILES } from '../bundle/drill-record.ts';
import { MANIFEST } from '../bundle/manifest.ts';
import { openBundle } from '../bundle/open.ts';
import { VERDICT_FILE, readStoredVerdict } from '../bundle/stored-verdict.ts';
import { PROPERTY_NAMES } from '../checkers/registry.ts';
import { onTrace } from '../scenario/given-trace.ts';
import { loadScenario } from '../scenario/load.ts';
import { parseScenario } from '../scenario/parse.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { planDrill } from '../traffic/plan-drill.ts';
import type { DrillPlan } from '../traffic/plan-drill.ts';
import { readTrace } from '../traffic/trace-file.ts';
import { alertBusOf } from './alert-bus.ts';
import {
  MEND_KEPT,
  REGRESSION_FILE,
  budgetsOf,
  keptVerdicts,
  readRegression,
  sha256Of,
  sha256OfText,
} from './regression-file.ts';
import type { AlertBus, KeptVerdicts, Regression } from './regression-file.ts';

/** Something that a gate can drill again, and what it had shown. */
export interface GateSubject {
  readonly kind: 'drillable';
  readonly name: string;
  /** As it was given, or below what was given. */
  readonly folder: string;
  readonly plan: DrillPlan;
  readonly kept: KeptVerdicts;
  /** What its alerts went over; null for a run without alerts. */
  readonly alertBus: AlertBus | null;
  /** What it took when it was kept; without a note of it, what it takes at least. Starting servers is not in it. */
  readonly lengthMs: number;
}

/** A kept run that this killdrill cannot take up any more. */
export interface LostSubject {
  readonly kind: 'lost';
  readonly name: string;
  readonly folder: string;
  readonly why: string;
}

export type Subject = GateSubject | LostSubject;

/** What a gate was pointed at. */
export interface GateSubjects {
  readonly subjects: readonly Subject[];
  /** The folder that its `gate.yaml` would be in; null when one run was named. */
  readonly home: string | null;
}

/**
 * What there is to drill in a folder: the kept regressions below it, a single one, or the bundle of a run as it stands.
 *
 * @throws KilldrillError `REGRESSIONS_MISSING` when there is nothing; for a bundle as `openBundle` and `readTrace` do, and
 * `BUNDLE_UNFINISHED` when its run never came to a verdict.
 */
export async function findSubjects(folder: string): Promise<GateSubjects> {
  if (existsSync(join(folder, REGRESSION_FILE))) return { subjects: [await readKept(folder)], home: null };
  if (existsSync(join(folder, MANIFEST)) || existsSync(join(folder, RECORD_FILES.history)))
    return { subjects: [await readBundle(folder)], home: null };
  const names = await foldersIn(folder);
  if (names.length === 0) throw nothingIn(folder, 'there is no folder of a kept run in it');
  const subjects: Subject[] = [];
  for (const name of names) subjects.push(await readKept(join(folder, name)));
  return { subjects, home: folder };
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.name.startsWith('.') && mayBeKept(entry, folder))
      .map(({ name }) => name)
      .toSorted();
  } catch (cause) {
    throw nothingIn(folder, messageOf(cause), cause);
  }
}

/** A link counts as what it leads to; one that leads nowhere is a run that is lost, and is said to be. */
function mayBeKept(entry: Dirent, folder: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(join(folder, entry.name)).isDirectory();
  } catch {
    return true;
  }
}

function nothingIn(folder: string, what: string, cause?: unknown): KilldrillError {
  const sentence = `nothing is kept in ${folder}: ${what}; expected a folder of kept regressions, or a run's bundle. Keep a run with: killdrill promote reports/<run> --name NAME`;
  return new KilldrillError('REGRESSIONS_MISSING', sentence, { cause });
}

/** One that cannot be read is no reason to leave out the others. */
async function readKept(folder: string): Promise<Subject> {
  const name = basename(resolve(folder));
  try {
    const regression = await readRegression(folder);
    const file = join(folder, RECORD_FILES.scenario);
    const scenario = loadScenario(file, PROPERTY_NAMES);
    const found = {
      scenario: sha256OfText(await readFile(file, 'utf8')),
      trace: sha256Of(await readFile(join(folder, RECORD_FILES.trace))),
    };
    const altered = alterationOf(regression, scenario, found);
    if (altered !== null) return { kind: 'lost', name, folder, why: `${altered}; ${MEND_KEPT}` };
    const { kept, alertBus, from } = regression;
    const lengthMs = from.tookMs ?? leastMs(scenario);
    return { kind: 'drillable', name, folder, plan: planDrill(scenario), kept, alertBus, lengthMs };
  } catch (error) {
    if (error instanceof KilldrillError) return { kind: 'lost', name, folder, why: error.message };
    throw error;
  }
}

/** Another allowance, other traffic, or anything else in its scenario would be another drill. */
function alterationOf(
  { budgets, trace, scenario: noted }: Regression,
  scenario: Scenario,
  found: { readonly scenario: string; readonly trace: string },
): string | null {
  const { traffic } = scenario;
  if (traffic.kind !== 'given' || traffic.primed || traffic.file !== RECORD_FILES.trace)
    return `its ${RECORD_FILES.scenario} does not take its traffic from ${RECORD_FILES.trace} to the letter`;
  if (trace.sha256 !== found.trace) return `its ${RECORD_FILES.trace} is not the one that was kept`;
  const now: Readonly<Record<string, unknown>> = { ...budgetsOf(scenario) };
  const other = Object.entries(budgets).find(([key, was]) => JSON.stringify(now[key]) !== JSON.stringify(was));
  if (other !== undefined) {
    const [key, was] = other;
    return `its ${RECORD_FILES.scenario} allows another ${key} (${JSON.stringify(now[key])}) than the run that was kept (${JSON.stringify(was)})`;
  }
  if (noted === undefined || noted.sha256 === found.scenario) return null;
  return `its ${RECORD_FILES.scenario} is not the one that was kept`;
}

async function readBundle(folder: string): Promise<GateSubject> {
  const bundle = await openBundle(folder);
  if (bundle.incompleteBecause !== null) throw unfinished(bundle.incompleteBecause);
  const file = bundle.path(RECORD_FILES.scenario);
  const trace = await readTrace(bundle.path(RECORD_FILES.trace));
  const stored = parseScenario(await readFile(file, 'utf8'), file, PROPERTY_NAMES, () => trace);
  const scenario = onTrace(stored, trace, RECORD_FILES.trace);
  const kept = keptVerdicts(await readStoredVerdict(folder), bundle.path(VERDICT_FILE));
  const alertBus = await alertBusOf(bundle, scenario);
  const plan = { scenario, trace };
  const lengthMs = leastMs(scenario);
  return { kind: 'drillable', name: basename(bundle.folder), folder, plan, kept, alertBus, lengthMs };
}

/** No drill is shorter: times are never shortened. */
function leastMs({ steadyState, holdMs, settleMs }: Scenario): number {
  return steadyState.forMs + holdMs + settleMs;
}

/** Of a run that never came to its end. */
export function unfinished(why: string): KilldrillError {
  return new KilldrillError('BUNDLE_UNFINISHED', `${why}; there is no verdict to hold a fleet to: run the drill again`);
}
