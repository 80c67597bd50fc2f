import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { readContractLines } from '../../../harness/fleet/contract-lines.ts';
import type { SaidLine } from '../../../harness/fleet/contract-lines.ts';

/** Everything that is read from these chunks. */
async function read(...chunks: readonly (string | Buffer)[]): Promise<{ said: SaidLine[]; noise: string[] }> {
  const stdout = new PassThrough();
  const said: SaidLine[] = [];
  const noise: string[] = [];
  readContractLines(
    stdout,
    (line) => said.push(line),
    (text) => noise.push(text),
  );
  for (const chunk of chunks) stdout.write(chunk);
  stdout.end();
  await finished(stdout);
  return { said, noise };
}

it('reads an object a line, however the bytes come in', async () => {
  const bytes = Buffer.from('{"event":"ready"}\n{"event":"größer","n":1}\n');
  const { said, noise } = await read(...[...bytes].map((_, at) => bytes.subarray(at, at + 1)));
  expect(said).toEqual([{ event: 'ready' }, { event: 'größer', n: 1 }]);
  expect(noise).toEqual([]);
});

it('reads a last line that has no end', async () => {
  expect((await read('{"event":"bye"}')).said).toEqual([{ event: 'bye' }]);
});

it('takes what is no object with an event for noise, and goes on', async () => {
  const { said, noise } = await read(
    'null\n[1]\n7\n"ready"\n{}\n{"event":7}\nready\n\n  \n{"event":\n{"event":"ready"}\n',
  );
  expect(said).toEqual([{ event: 'ready' }]);
  expect(noise).toEqual(['null', '[1]', '7', '"ready"', '{}', '{"event":7}', 'ready', '{"event":']);
});

it('keeps no line without an end, whatever its length', async () => {
  const junk = 'x'.repeat(1 << 20);
  const { said, noise } = await read(junk, junk, '\n{"event":"ready"}\n');
  expect(said).toEqual([{ event: 'ready' }]);
  expect(noise.every((text) => text.length <= 200)).toBe(true);
});
