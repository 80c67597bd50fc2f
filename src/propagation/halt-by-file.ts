import { createHash } from 'node:crypto';
import { KilldrillError, messageOf } from '../errors.ts';
import { canonicalText } from '../flip-text.ts';
import type { StopFlip } from '../switch.ts';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { haltPrefix, placeOf } from './state-folder.ts';
import { writeWhole } from './write-whole.ts';

export interface HaltedByFile {
  /** Where the stop lies. */
  readonly keptAt: string;
  /** Whether there is a state file beside it: without one, perhaps nobody watches that folder. */
  readonly hasStateFile: boolean;
}

/**
 * Puts a stop beside a state file, on disk by the time it returns; whoever watches that file enforces it. It waits for no
 * other writer, needs no right but that to write to the folder, and no server. Those who follow a store too bring it there.
 *
 * @param sign makes the stop-taker's signature over the stop's text; without it the stop counts as a hand's
 * @throws KilldrillError `HALT_FILE_UNWRITTEN` naming the folder and why.
 */
export function haltByFile(path: string, stop: StopFlip, sign: ((text: string) => string) | null = null): HaltedByFile {
  const text = canonicalText(stop);
  const content = `${JSON.stringify({ stop: text, signature: sign?.(text) ?? null })}\n`;
  try {
    const { folder, base } = placeOf(path);
    const name = haltFileName(base, stop.id);
    writeWhole(folder, name, content, `.${name}.${process.pid}.tmp`);
    return { keptAt: join(folder, name), hasStateFile: existsSync(join(folder, base)) };
  } catch (cause) {
    throw new KilldrillError(
      'HALT_FILE_UNWRITTEN',
      `the stop could not be put beside ${path}: ${messageOf(cause)}; is its folder there, and may this process write to it?`,
      { cause },
    );
  }
}

/** An id may hold anything; a file's name may not. */
export function haltFileName(base: string, id: string): string {
  return `${haltPrefix(base)}${createHash('sha256').update(id, 'utf8').digest('hex').slice(0, 32)}`;
}
