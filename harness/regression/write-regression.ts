import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { RECORD_FILES } from '../bundle/drill-record.ts';
import { writeWhole } from '../bundle/manifest.ts';
import { PROPERTY_NAMES } from '../checkers/registry.ts';
import { parseScenario } from '../scenario/parse.ts';
import { scenarioToYaml } from '../scenario/to-yaml.ts';
import { traceText } from '../traffic/trace-text.ts';
import type { KeptRun } from './keep-run.ts';
import { REGRESSION_FILE, REGRESSION_VERSION, sha256Of, sha256OfText } from './regression-file.ts';
import type { Regression } from './regression-file.ts';

/** Its traffic is packed once and read by every CI run. */
const SMALLEST = { level: 9 } as const;

/** A kept run on disk. */
export interface WrittenRegression {
  readonly regression: Regression;
  readonly files: readonly { readonly file: string; readonly bytes: number }[];
}

/**
 * Writes a kept run into a folder of its own, which must not be there yet.
 *
 * @throws KilldrillError `REGRESSION_EXISTS`, and then nothing was touched; `REGRESSION_NOT_WRITTEN`
 */
export async function writeRegression(folder: string, name: string, run: KeptRun): Promise<WrittenRegression> {
  const { scenario, trace } = run.plan;
  const yaml = scenarioToYaml(scenario);
  parseScenario(yaml, RECORD_FILES.scenario, PROPERTY_NAMES, () => trace); // what cannot be read again is not kept
  const packed = await promisify(gzip)(traceText(trace), SMALLEST);
  const effects = trace.runs.reduce((sum, { plan }) => sum + plan.length, 0);
  const { from, kept, budgets, alertBus, redacted, ofRuns } = run;
  const counts = { bytes: packed.length, runs: trace.runs.length, effects, ofRuns };
  const facts = { sha256: sha256Of(packed), ...counts };
  const regression: Regression = {
    version: REGRESSION_VERSION,
    ...{ name, from, kept, budgets, alertBus, scenario: { sha256: sha256OfText(yaml) }, trace: facts, redacted },
  };
  const contents: readonly (readonly [string, string | Uint8Array])[] = [
    [RECORD_FILES.scenario, yaml],
    [RECORD_FILES.trace, packed],
    [REGRESSION_FILE, `${JSON.stringify(regression, null, 2)}\n`], // last: without it nothing is kept
  ];
  makeNew(folder);
  try {
    for (const [file, content] of contents) await writeWhole(folder, file, content);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw notWritten(folder, cause);
  }
  return { regression, files: contents.map(([file, content]) => ({ file, bytes: Buffer.byteLength(content) })) };
}

function makeNew(folder: string): void {
  try {
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritten(folder, cause);
    const sentence = `${folder} is there already, and nothing is overwritten; choose another --name, or remove it first`;
    throw new KilldrillError('REGRESSION_EXISTS', sentence, { cause });
  }
}

function notWritten(folder: string, cause: unknown): KilldrillError {
  const sentence = `${folder} could not be written: ${messageOf(cause)}; name another folder with --dir`;
  return new KilldrillError('REGRESSION_NOT_WRITTEN', sentence, { cause });
}
