import { readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { assertDrillFolder } from './drill-folder.ts';
import { connectDocker, isAtWork, listDrillContainers, removeContainer } from './docker-engine.ts';
import { recoverExternal } from './external.ts';
import { readExternalSettings } from './external-settings.ts';
import { commandLine, listProcesses, lookUpProcess } from './process-table.ts';
import { sweep } from './sweep.ts';

/** What killed harnesses had left, and what could not be looked at. */
export interface Recovery {
  readonly removed: readonly string[];
  /** Left alone: it cannot be told here whether somebody is at work with it. */
  readonly left: readonly string[];
  readonly problems: readonly string[];
}

/**
 * Undoes what killed harnesses left: folders with their processes whose guardian was killed too, containers, and databases
 * and topics on external servers. What a living harness uses is not touched.
 *
 * @param parents folders that drills' folders are in.
 */
export async function recover(
  environment: Readonly<NodeJS.ProcessEnv>,
  parents: readonly string[] = [tmpdir(), '/tmp'],
): Promise<Recovery> {
  const removed: string[] = [];
  const left: string[] = [];
  const problems: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems.push(`${what}: ${messageOf(error)}`);
    }
  };
  for (const folder of orphanedFolders(parents)) {
    await attempt(folder, async () => {
      const self = lookUpProcess(process.pid);
      const report = await sweep({ folder, watched: [], spared: self === null ? [] : [self] });
      removed.push(`folder ${folder} with ${report.forced.length} processes`);
      if (report.left.length > 0)
        problems.push(`${folder}: processes ${report.left.map(({ pid }) => pid).join(', ')} are left`);
    });
  }
  await attempt('containers', () => recoverContainers(removed, left));
  if ((environment['KILLDRILL_DRILL_DATABASE_URL'] ?? '') !== '') {
    await attempt('external servers', async () => {
      removed.push(...(await recoverExternal(readExternalSettings(environment))));
    });
  }
  return { removed, left, problems };
}

/** Folders of drills that no guardian watches any more. */
function orphanedFolders(parents: readonly string[]): readonly string[] {
  const guarded = new Set(
    listProcesses()
      .map(({ pid }) => commandLine(pid))
      .filter((command) => command.includes('guardian-main'))
      .map((command) => command.split(' ').at(-1)),
  );
  return [...new Set(parents.flatMap((parent) => drillFoldersIn(parent)))].filter((folder) => !guarded.has(folder));
}

function drillFoldersIn(parent: string): readonly string[] {
  let names: readonly string[];
  let path: string;
  try {
    path = realpathSync(parent);
    names = readdirSync(path);
  } catch {
    return [];
  }
  return names
    .map((name) => join(path, name))
    .filter((folder) => {
      try {
        assertDrillFolder(folder);
        return true;
      } catch {
        return false;
      }
    });
}

async function recoverContainers(removed: string[], left: string[]): Promise<void> {
  const engine = await connectDocker().catch(() => null);
  if (engine === null) return; // without an engine there are no containers
  for (const { id, name, harness } of await listDrillContainers(engine)) {
    const atWork = isAtWork(harness);
    if (atWork === 'unknown') left.push(`container ${name}: made by a harness on another host`);
    if (atWork !== 'no') continue;
    await removeContainer(engine, id);
    removed.push(`container ${name}`);
  }
}
