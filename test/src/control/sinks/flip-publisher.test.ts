import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { systemClock } from '../../../../src/clock.ts';
import { FlipPublisher } from '../../../../src/control/sinks/flip-publisher.ts';
import type { FlipSink, SinkPosition } from '../../../../src/control/sinks/flip-sink.ts';
import { flipLine } from '../../../../src/control/sinks/flip-line.ts';
import { jsonlSink } from '../../../../src/control/sinks/jsonl-sink.ts';
import { positionInFile } from '../../../../src/control/sinks/sink-position-file.ts';
import { webhookSink } from '../../../../src/control/sinks/webhook-sink.ts';
import { MemoryState } from '../../../../src/store/memory-state.ts';
import { MemoryStore } from '../../../../src/store/memory.ts';
import type { FlipRecord, Head } from '../../../../src/store/store.ts';
import { stopText } from '../../store/samples.ts';

const NAMESPACE = 'sinks';
const SOON = { timeout: 20_000 };
let store: MemoryStore;
let folder: string;

beforeEach(() => {
  store = new MemoryStore(new MemoryState({ namespace: NAMESPACE }));
  folder = mkdtempSync(join(tmpdir(), 'killdrill-sinks-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

async function flips(count: number): Promise<void> {
  for (let nth = 0; nth < count; nth += 1) await store.flip(stopText(NAMESPACE), null);
}

function remembered(): SinkPosition {
  let position: Head | null = null;
  return {
    read: async () => position,
    write: async (head) => {
      position = head;
    },
  };
}

function publish(sinks: readonly { sink: FlipSink; position: SinkPosition }[], source: MemoryStore = store) {
  const errors: string[] = [];
  const timings = { pollMs: 20, retryMs: 5, callMs: 100 };
  const onError = ({ message }: Error): void => void errors.push(message);
  const publisher = new FlipPublisher({ source, sinks, clock: systemClock, onError, timings });
  publisher.start();
  onTestFinished(() => publisher.close());
  return { publisher, errors };
}

/** Keeps what it is told; `take` may do something before. */
function listener(take: (flips: readonly FlipRecord[]) => Promise<void> = async () => undefined) {
  const told: number[] = [];
  const sink: FlipSink = {
    name: 'a test',
    async take(some) {
      await take(some);
      told.push(...some.map(({ revision }) => revision));
    },
  };
  return { told, sink };
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, nth) => nth + 1);

describe('a publisher of flips', () => {
  it('tells every sink all that was before it, and what comes, once and in order', async () => {
    await flips(450);
    const [one, other] = [listener(), listener()];
    publish([one, other].map(({ sink }) => ({ sink, position: remembered() })));
    await vi.waitFor(() => expect([one.told.length, other.told.length]).toEqual([450, 450]), SOON);
    await flips(3);
    await vi.waitFor(() => expect(one.told).toEqual(upTo(453)), SOON);
    await vi.waitFor(() => expect(other.told).toEqual(upTo(453)), SOON);
  });

  it('tells a sink again what it has not taken, and holds up neither stops nor others for it', async () => {
    await flips(5);
    let refusals = 0;
    const flaky = listener(async () => {
      refusals += 1;
      if (refusals <= 3) throw new Error('not now');
    });
    const stuck = listener(() => new Promise(() => undefined));
    const sound = listener();
    const { errors, publisher } = publish([flaky, stuck, sound].map(({ sink }) => ({ sink, position: remembered() })));
    await vi.waitFor(() => expect(sound.told).toEqual(upTo(5)), SOON);
    await vi.waitFor(() => expect(flaky.told).toEqual(upTo(5)), SOON);
    await vi.waitFor(() => expect(errors.join()).toMatch(/not now.*did not answer within 100 ms/s), SOON);
    expect(stuck.told).toEqual([]);
    await vi.waitFor(
      () =>
        expect(publisher.status()).toMatchObject([
          { told: 5, behind: 0, error: null },
          { told: 0, behind: 5, error: 'the sink a test did not answer within 100 ms' },
          { told: 5, behind: 0, error: null },
        ]),
      SOON,
    );
  });

  it('goes on from its position in another life, and says again only what that does not cover', async () => {
    await flips(4);
    const path = join(folder, 'position.json');
    const first = listener();
    const { publisher } = publish([{ sink: first.sink, position: positionInFile(path) }]);
    await vi.waitFor(() => expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ revision: 4 }), SOON);
    await publisher.close();
    await flips(2);
    const second = listener();
    publish([{ sink: second.sink, position: positionInFile(path) }]);
    await vi.waitFor(() => expect(second.told).toEqual([5, 6]), SOON);
    expect(first.told).toEqual(upTo(4));
  });

  it('tells everything anew when the store’s history is another', async () => {
    await flips(2);
    const told = listener();
    const position = remembered();
    await position.write({ epoch: 'of a store that is gone', revision: 9, hash: 'x' });
    const { errors } = publish([{ sink: told.sink, position }]);
    await vi.waitFor(() => expect(told.told).toEqual([1, 2]), SOON);
    expect(errors).toEqual([expect.stringMatching(/no part of this store's history/)]);
  });

  it('begins nothing anew for a position that it cannot read', async () => {
    const path = join(folder, 'position.json');
    writeFileSync(path, '{"epoch":');
    await flips(1);
    const told = listener();
    const { errors } = publish([{ sink: told.sink, position: positionInFile(path) }]);
    await vi.waitFor(() => expect(errors.join()).toMatch(/remove the file to tell it everything anew/), SOON);
    expect(told.told).toEqual([]);
  });
});

describe('sinks', () => {
  it('append each flip to a file, as the chain has it', async () => {
    await flips(3);
    const path = join(folder, 'flips.jsonl');
    publish([{ sink: jsonlSink(path), position: remembered() }]);
    const lines = (): unknown[] =>
      readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    await vi.waitFor(() => expect(lines()).toHaveLength(3), SOON);
    const answer = await store.flipsAfter({ ...(await store.load()).head, revision: 0, hash: '' });
    expect(lines()).toEqual(answer.kind === 'flips' ? answer.flips : null);
  });

  it('lose no flip behind a line that a full disk or a crash has cut short', async () => {
    await flips(3);
    const path = join(folder, 'flips.jsonl');
    const { head } = await store.load();
    const answer = await store.flipsAfter({ ...head, revision: 0, hash: '' });
    const [first, ...others] = answer.kind === 'flips' ? answer.flips : [];
    const sink = jsonlSink(path);
    writeFileSync(path, flipLine(first!).slice(0, 20));
    await sink.take([first!], AbortSignal.timeout(10_000));
    await sink.take(others, AbortSignal.timeout(10_000));
    const [torn, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
    expect(torn).toBe(flipLine(first!).slice(0, 20));
    expect(lines).toEqual([first!, ...others].map(flipLine));
  });

  it('post flips to a webhook, again until it says yes', async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(bodies.length === 1 ? 503 : 204).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await flips(2);
    const { errors } = publish([{ sink: webhookSink(`http://127.0.0.1:${port}/secret`), position: remembered() }]);
    await vi.waitFor(() => expect(bodies).toHaveLength(2), SOON);
    expect(bodies[1]).toBe(bodies[0]);
    expect(bodies[0]?.trim().split('\n')).toHaveLength(2);
    expect(errors).toEqual([`127.0.0.1:${port} answered 503`]);
  });

  it.each(['ftp://example.org', 'nonsense', 'https://ada:secret@example.org/x'])('refuse the address %s', (url) => {
    expect(() => webhookSink(url)).toThrow(/expected an http or https URL/);
  });
});
