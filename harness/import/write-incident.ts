import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KilldrillError, messageOf } from '../../src/errors.ts';
import { scenarioToYaml } from '../scenario/to-yaml.ts';
import { TRACE_FILE, writeTrace } from '../traffic/trace-file.ts';
import type { ImportedIncident } from './import-incident.ts';
import { importPage } from './import-page.ts';

/**
 * Nothing is ever written over.
 *
 * @throws KilldrillError `USAGE` when the folder is there and holds something
 */
export async function refuseExisting(folder: string): Promise<void> {
  try {
    const [first] = await readdir(folder);
    if (first === undefined) return;
    throw inTheWay(folder, `found a folder with '${first}' in it`);
  } catch (error) {
    if (error instanceof KilldrillError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw inTheWay(folder, messageOf(error));
  }
}

function inTheWay(folder: string, found: string): KilldrillError {
  return new KilldrillError('USAGE', `--out is '${folder}': ${found}, expected a new folder; nothing was written over`);
}

/**
 * Writes scenario.yaml, trace.jsonl.gz and import.md into a new or empty folder; all or none of them.
 *
 * @throws KilldrillError `USAGE` when they cannot be written there
 */
export async function writeIncident(folder: string, incident: ImportedIncident): Promise<void> {
  await refuseExisting(folder);
  try {
    await mkdir(folder, { recursive: true });
    await writeTrace(join(folder, TRACE_FILE), incident.trace);
    await writeFile(
      join(folder, 'import.md'),
      importPage(incident, (line) => line),
      { flag: 'wx' },
    );
    await writeFile(join(folder, 'scenario.yaml'), scenarioToYaml(incident.scenario), { flag: 'wx' });
  } catch (cause) {
    for (const name of [TRACE_FILE, 'import.md', 'scenario.yaml'])
      await rm(join(folder, name), { force: true }).catch(() => undefined);
    throw new KilldrillError('USAGE', `--out is '${folder}': ${messageOf(cause)}; name another folder`, { cause });
  }
}
