import { open } from 'node:fs/promises';
import type { FlipSink } from './flip-sink.ts';
import { flipLine } from './flip-line.ts';

/** Appends each flip to a file, one JSON object a line, on disk before it counts as told. */
export function jsonlSink(path: string): FlipSink {
  return {
    name: `file ${path}`,
    async take(flips) {
      const file = await open(path, 'a', 0o600);
      try {
        await file.appendFile(flips.map((flip) => `${flipLine(flip)}\n`).join(''), 'utf8');
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}
