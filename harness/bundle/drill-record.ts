import { readFile } from 'node:fs/promises';
import { KilldrillError } from '../../src/errors.ts';
import type { DrillRecord } from '../drill/drill.ts';
import { readHistory } from '../history/read.ts';
import { parseScenario } from '../scenario/parse.ts';
import { TRACE_FILE, readTrace } from '../traffic/trace-file.ts';
import { openBundle } from './open.ts';

/** Names of the files that a run's record consists of. */
export const RECORD_FILES = {
  scenario: 'scenario.yaml',
  trace: TRACE_FILE,
  history: 'history.jsonl.gz',
} as const;

/**
 * Reads what a stored run planned and what happened in it, and nothing of what was made of it: the stored verdict stays
 * closed (its bytes are hashed, as all are), so that judging again owes nothing to the first judgement.
 *
 * @param properties names of the properties that a scenario may ask for
 * @throws KilldrillError as `openBundle`, `parseScenario`, `readTrace` and `readHistory` do; `HISTORY_UNREADABLE` also
 * when the history does not begin with its `drill` event; `BUNDLE_ALTERED` when it breaks off under a manifest;
 * `BUNDLE_UNFINISHED` when the run was cut before any was written.
 */
export async function readDrillRecord(folder: string, properties: readonly string[]): Promise<DrillRecord> {
  const bundle = await openBundle(folder);
  const scenarioFile = bundle.path(RECORD_FILES.scenario);
  const trace = await readTrace(bundle.path(RECORD_FILES.trace));
  const text = await readFile(scenarioFile, 'utf8');
  // A scenario that is given a trace is given its bundle's own.
  const scenario = parseScenario(text, scenarioFile, properties, () => trace);
  const historyFile = bundle.path(RECORD_FILES.history);
  const { events, complete } = await readHistory(historyFile);
  if (bundle.complete && !complete)
    throw new KilldrillError(
      'BUNDLE_ALTERED',
      `the history ${historyFile} breaks off, though its manifest says that the run came to its end; run the drill again`,
    );
  const [first] = events;
  if (first === undefined && bundle.incompleteBecause !== null)
    throw new KilldrillError(
      'BUNDLE_UNFINISHED',
      `${bundle.incompleteBecause}, and not one event of its history was on disk by then: there is nothing to judge; run the drill again`,
    );
  if (first?.type !== 'drill') {
    const found = first === undefined ? 'nothing' : `a ${first.type} event`;
    const what = `the history ${historyFile} begins with ${found}; expected the drill event that every history begins with`;
    throw new KilldrillError('HISTORY_UNREADABLE', what);
  }
  return { scenario, trace, events, complete: complete && bundle.complete };
}
