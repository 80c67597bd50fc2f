import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KilldrillError } from '../../src/errors.ts';
import { RECORD_FILES, readDrillRecord } from '../bundle/drill-record.ts';
import { PROPERTY_NAMES } from '../checkers/registry.ts';
import type { DrillRecord } from '../drill/drill.ts';
import { anchorFlips } from '../regression/anchor-flips.ts';
import { findSubjects } from '../regression/gate-subject.ts';
import type { GateSubject } from '../regression/gate-subject.ts';
import { REGRESSION_FILE } from '../regression/regression-file.ts';
import { onTrace } from '../scenario/given-trace.ts';

/** A stored run that can be drilled again. */
export interface ReplaySubject extends GateSubject {
  /** What happened then; null for a kept run, whose history stayed behind when it was promoted. */
  readonly stored: DrillRecord | null;
}

/**
 * Reads the bundle of a run, or a kept run. Of a bundle the stops and releases that came at a time come after as many effects
 * in their scope as they did then.
 *
 * @throws KilldrillError as `findSubjects` does; `USAGE` for a folder of several kept runs, `REGRESSION_UNREADABLE` for a kept
 * run that this killdrill cannot take up any more
 */
export async function readReplaySubject(folder: string): Promise<ReplaySubject> {
  const { subjects, home } = await findSubjects(folder);
  const [subject] = subjects;
  if (home !== null || subject === undefined) {
    const names = subjects.map(({ name }) => name).join(', ');
    const sentence = `${folder} holds several kept runs (${names}); expected one of them, or the bundle of a run`;
    throw new KilldrillError('USAGE', `${sentence}; 'killdrill gate' drills all of them`);
  }
  if (subject.kind === 'lost') {
    const sentence = `${folder} cannot be replayed: ${subject.why}`;
    throw new KilldrillError('REGRESSION_UNREADABLE', sentence);
  }
  if (existsSync(join(folder, REGRESSION_FILE))) return { ...subject, stored: null };
  const stored = await readDrillRecord(folder, PROPERTY_NAMES);
  const { trace } = stored;
  const scenario = onTrace(anchorFlips(stored).scenario, trace, RECORD_FILES.trace);
  return { ...subject, plan: { scenario, trace }, stored };
}
