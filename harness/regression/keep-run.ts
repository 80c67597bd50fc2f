import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { RECORD_FILES, readDrillRecord } from '../bundle/drill-record.ts';
import { MANIFEST } from '../bundle/manifest.ts';
import { openBundle } from '../bundle/open.ts';
import type { StoredBundle } from '../bundle/open.ts';
import { VERDICT_FILE, readStoredVerdict } from '../bundle/stored-verdict.ts';
import { indexOf } from '../checkers/index-of.ts';
import { PROPERTY_NAMES } from '../checkers/registry.ts';
import { toMs } from '../checkers/span.ts';
import { onTrace } from '../scenario/given-trace.ts';
import type { DrillPlan } from '../traffic/plan-drill.ts';
import { alertBusOf } from './alert-bus.ts';
import { anchorFlips } from './anchor-flips.ts';
import { cutTrace } from './cut-trace.ts';
import { unfinished } from './gate-subject.ts';
import { budgetsOf, keptVerdicts } from './regression-file.ts';
import type { KeptVerdicts, Regression } from './regression-file.ts';
import { withStandIns } from './stand-ins.ts';

/** What of a run is worth keeping. */
export interface KeptRun {
  readonly plan: DrillPlan;
  readonly from: Regression['from'];
  readonly kept: KeptVerdicts;
  readonly budgets: Regression['budgets'];
  readonly alertBus: Regression['alertBus'];
  readonly redacted: Regression['redacted'];
  /** Stops and releases that came at a time of the clock, and come at an event now. */
  readonly anchored: number;
  /** Runs of the trace before those were dropped that were due after the run had ended. */
  readonly ofRuns: number;
  /** What of the bundle is not kept at all. */
  readonly dropped: readonly { readonly file: string; readonly bytes: number }[];
  /** The bundle's own files of the same names. */
  readonly before: { readonly scenarioBytes: number; readonly traceBytes: number };
}

/**
 * Takes from a run's bundle what it takes to drill it again: its scenario, its traffic, and what it showed. Its history,
 * which is all that happened, stays behind.
 *
 * @param name what it is to be called
 * @throws KilldrillError as `readDrillRecord` does; `BUNDLE_UNFINISHED` when its run never came to a verdict
 */
export async function keepRun(folder: string, name: string): Promise<KeptRun> {
  const bundle = await openBundle(folder);
  if (bundle.incompleteBecause !== null) throw unfinished(bundle.incompleteBecause);
  const record = await readDrillRecord(folder, PROPERTY_NAMES);
  const { anchored, scenario } = anchorFlips(record);
  const index = indexOf(record);
  const { redacted, ...plan } = withStandIns({ scenario, trace: cutTrace(record) });
  return {
    plan: { trace: plan.trace, scenario: onTrace({ ...plan.scenario, name }, plan.trace, RECORD_FILES.trace) },
    from: {
      bundle: basename(bundle.folder),
      scenario: record.scenario.name,
      seed: record.scenario.seed,
      environment: index.drill?.environment ?? 'unknown',
      tookMs: Math.round(toMs(index.endNs)),
    },
    kept: keptVerdicts(await readStoredVerdict(folder), bundle.path(VERDICT_FILE)),
    budgets: budgetsOf(scenario),
    alertBus: await alertBusOf(bundle, scenario),
    redacted: [...redacted],
    anchored,
    ofRuns: record.trace.runs.length,
    ...(await sizesOf(bundle)),
  };
}

async function sizesOf(bundle: StoredBundle): Promise<Pick<KeptRun, 'dropped' | 'before'>> {
  const names = [...bundle.files, MANIFEST].filter((name, at, all) => all.indexOf(name) === at);
  const sizes = new Map<string, number>();
  for (const name of names) sizes.set(name, (await stat(`${bundle.folder}/${name}`)).size);
  const { scenario, trace } = RECORD_FILES;
  const isKept = (name: string): boolean => name === scenario || name === trace;
  return {
    dropped: [...sizes].filter(([name]) => !isKept(name)).map(([file, bytes]) => ({ file, bytes })),
    before: { scenarioBytes: sizes.get(scenario) ?? 0, traceBytes: sizes.get(trace) ?? 0 },
  };
}
