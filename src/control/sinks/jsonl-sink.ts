import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { FlipSink } from './flip-sink.ts';
import { flipLine } from './flip-line.ts';

const NEWLINE = 10;

/**
 * Appends each flip to a file, one JSON object a line, on disk before it counts as told. What a crash left half-written is
 * closed off as a line of its own, which is no JSON; its flips follow whole.
 */
export function jsonlSink(path: string): FlipSink {
  return {
    name: `file ${path}`,
    async take(flips) {
      const file = await open(path, 'a+', 0o600);
      try {
        const lines = flips.map((flip) => `${flipLine(flip)}\n`).join('');
        await file.appendFile((await endsTorn(file)) ? `\n${lines}` : lines, 'utf8');
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

async function endsTorn(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return buffer[0] !== NEWLINE;
}
