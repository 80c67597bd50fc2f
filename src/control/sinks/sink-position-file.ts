import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { KilldrillError, messageOf } from '../../errors.ts';
import { placeOf } from '../../propagation/state-folder.ts';
import { writeWhole } from '../../propagation/write-whole.ts';
import type { SinkPosition } from './flip-sink.ts';

const headSchema = z.strictObject({ epoch: z.string(), revision: z.number().int().min(0), hash: z.string() });

/**
 * A sink's position in a file of its own, whole or not there at all. One process writes it.
 *
 * Its reader throws KilldrillError `SINK_POSITION` for what is no position: to begin anew is an operator's decision, who
 * removes the file.
 */
export function positionInFile(path: string): SinkPosition {
  return {
    async read() {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw unreadable(path, error);
      }
      try {
        return headSchema.parse(JSON.parse(text));
      } catch (error) {
        throw unreadable(path, error);
      }
    },
    async write({ epoch, revision, hash }) {
      const { folder, base } = placeOf(path);
      await writeWhole(folder, base, `${JSON.stringify({ epoch, revision, hash })}\n`, `.${basename(path)}.tmp`);
    },
  };
}

function unreadable(path: string, cause: unknown): KilldrillError {
  const message = `the sink's position in ${path} cannot be read (${messageOf(cause).slice(0, 200)}); remove the file to tell it everything anew`;
  return new KilldrillError('SINK_POSITION', message, { cause });
}
