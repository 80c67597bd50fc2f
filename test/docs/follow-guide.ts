import { expect } from 'vitest';
import { deedsOf } from './guide.ts';
import type { Reader } from './reader.ts';

/** What a reader's program has besides. */
export const GIVEN = `
const [workerUrl, flipperUrl] = [process.env['WORKER_URL'] ?? '', process.env['FLIPPER_URL'] ?? ''];
const [registryUrl, databaseUrl, snapshotFolder] = [workerUrl, workerUrl, 'snapshots'];
const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',').filter((broker) => broker !== '');
const [run, agent, idempotencyKey, message] = ['run-1', 'agent-1', 'key-1', 'a mail'];
const myTools = { search: { execute: (input: { query: string }) => Promise.resolve(input.query) } };
const mail = {
  send: async (text: string, sending: { signal: AbortSignal; idempotencyKey: string; maxRetries?: number }) => {
    console.log(sending.signal.aborted ? 'aborted' : 'sent', text, sending.idempotencyKey);
  },
};
`;

/** Does everything that a guide says; answers what the programs and commands printed. */
export async function followGuide(
  reader: Reader,
  guide: string,
  beforeEachDeed: () => Promise<unknown> = async () => undefined,
): Promise<string> {
  const deeds = deedsOf(`docs/guides/${guide}.md`);
  for (const deed of deeds) if (deed.kind === 'module') reader.writeModule(deed.file, deed.text);
  let printed = '';
  for (const deed of deeds) {
    await beforeEachDeed();
    if (deed.kind === 'file') {
      reader.write(deed.name, deed.text);
      continue;
    }
    const expected = deed.kind === 'command' ? deed.exitCode : 0;
    const ended = await (deed.kind === 'command' ? reader.runCommand(deed.line) : reader.runModule(deed.file));
    expect(ended, JSON.stringify(deed)).toMatchObject({ code: expected });
    printed += ended.stdout + ended.stderr;
  }
  return printed;
}
