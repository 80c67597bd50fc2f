import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { FlipSink } from './flip-sink.ts';
import { flipLine } from './flip-line.ts';

/**
 * Appends each flip to a file, one JSON object a line, on disk before it counts as told. What a full disk or a crash has cut
 * short stays as a line of its own, and its flip comes again after it.
 */
export function jsonlSink(path: string): FlipSink {
  return {
    name: `file ${path}`,
    async take(flips) {
      const file = await open(path, 'a+', 0o600);
      try {
        const lines = flips.map((flip) => `${flipLine(flip)}\n`).join('');
        await file.appendFile((await endsInALine(file)) ? lines : `\n${lines}`, 'utf8');
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

async function endsInALine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString('latin1') === '\n';
}
