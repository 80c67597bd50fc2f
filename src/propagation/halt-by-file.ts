import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KilldrillError, messageOf } from '../errors.ts';
import { canonicalText } from '../flip-text.ts';
import type { StopFlip } from '../switch.ts';
import { haltPrefix, placeOf } from './state-folder.ts';
import type { StatePlace } from './state-folder.ts';
import { writeWhole, writeWholeNow } from './write-whole.ts';

export interface HaltedByFile {
  /** Where the stop lies. */
  readonly keptAt: string;
  /** Whether there is a state file beside it: without one, perhaps nobody watches that folder. */
  readonly hasStateFile: boolean;
}

type Sign = ((text: string) => string) | null;

/**
 * Puts a stop beside a state file, on disk by the time it resolves; whoever watches that file enforces it. It waits for no
 * other writer, needs no right but that to write to the folder, and no server. Those who follow a store too bring it there.
 * A disk that is slow keeps nothing else in this process waiting.
 *
 * @param sign makes the stop-taker's signature over the stop's text; without it the stop counts as a hand's
 * @throws KilldrillError `HALT_FILE_UNWRITTEN` naming the folder and why.
 */
export async function haltByFile(path: string, stop: StopFlip, sign: Sign = null): Promise<HaltedByFile> {
  try {
    const file = fileOf(path, stop, sign);
    await writeWhole(file.place.folder, file.name, file.content, file.unfinished);
    return putAt(file);
  } catch (cause) {
    throw unwritten(path, cause);
  }
}

/**
 * The same in one tick, for those who must not go on before it is there.
 *
 * @throws KilldrillError `HALT_FILE_UNWRITTEN`
 */
export function haltByFileNow(path: string, stop: StopFlip, sign: Sign = null): HaltedByFile {
  try {
    const file = fileOf(path, stop, sign);
    writeWholeNow(file.place.folder, file.name, file.content, file.unfinished);
    return putAt(file);
  } catch (cause) {
    throw unwritten(path, cause);
  }
}

interface HaltFile {
  readonly place: StatePlace;
  readonly name: string;
  readonly content: string;
  readonly unfinished: string;
}

/** Puts of one process that are under way at once need temporary files of their own. */
let puts = 0;

function fileOf(path: string, stop: StopFlip, sign: Sign): HaltFile {
  const text = canonicalText(stop);
  const content = `${JSON.stringify({ stop: text, signature: sign?.(text) ?? null })}\n`;
  const place = placeOf(path);
  const name = haltFileName(place.base, stop.id);
  puts += 1;
  return { place, name, content, unfinished: `.${name}.${process.pid}-${puts}.tmp` };
}

function putAt({ place: { folder, base }, name }: HaltFile): HaltedByFile {
  return { keptAt: join(folder, name), hasStateFile: existsSync(join(folder, base)) };
}

function unwritten(path: string, cause: unknown): KilldrillError {
  return new KilldrillError(
    'HALT_FILE_UNWRITTEN',
    `the stop could not be put beside ${path}: ${messageOf(cause)}; is its folder there, and may this process write to it?`,
    { cause },
  );
}

/** An id may hold anything; a file's name may not. */
export function haltFileName(base: string, id: string): string {
  return `${haltPrefix(base)}${createHash('sha256').update(id, 'utf8').digest('hex').slice(0, 32)}`;
}
