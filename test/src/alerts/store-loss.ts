import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, vi } from 'vitest';
import { chooseDrillFolder, makeDrillFolder } from '../../../harness/environment/drill-folder.ts';
import { startEmbeddedPostgres } from '../../../harness/environment/embedded-postgres.ts';
import { startGuardian } from '../../../harness/environment/guardian.ts';
import { migrate } from '../../../src/store/postgres/migrate.ts';
import type { BusOrder } from './bus-order.ts';
import { ExecutorOnServers } from './executor-on-servers.ts';

const WAIT = { timeout: 60_000, interval: 5 };
const BEFORE = 40;
const MEANWHILE = 20;
const AFTER = 20;
const BEAT_MS = 2;

export interface StoreLoss {
  /** Targets of the alerts that the bus has acknowledged. */
  readonly acknowledged: readonly string[];
  /** Those of them that it acknowledged while the store was away, and of these, what was enforced in the executor's process then. */
  readonly meanwhile: readonly string[];
  readonly heldMeanwhile: readonly string[];
  /** Targets of all flips, in their order. */
  readonly flips: readonly string[];
  /** Targets that the executor's process had stopped, and at some later moment not. */
  readonly resumedEarly: readonly string[];
  /** From the store's return until a stop that was asked for then is durable. */
  readonly durableAgainMs: number;
}

/** PostgreSQL is killed with kill -9 in the midst of a stream of alerts, stays away for a while, and comes back. */
export async function loseStore(bus: BusOrder): Promise<StoreLoss> {
  const folder = chooseDrillFolder();
  const guardian = await startGuardian({ folder });
  try {
    makeDrillFolder(folder);
    const server = await startEmbeddedPostgres({ folder, superuserPassword: randomBytes(8).toString('hex') });
    try {
      const { user, password } = server.superuser;
      const url = `postgres://${user}:${password}@${encodeURIComponent(server.socketFolder)}:5432/postgres`;
      return await lose(bus, url, server);
    } finally {
      await server.stop();
    }
  } finally {
    await guardian.done();
  }
}

async function lose(bus: BusOrder, url: string, server: { kill(): Promise<void>; start(): Promise<void> }) {
  const addNamespace = (namespace: string): Promise<void> =>
    withClient(url, async (client) => void (await migrate(client, { namespace })));
  const logins = { workerUrl: url, flipperUrl: url, addNamespace };
  const rig = new ExecutorOnServers(logins, new pg.Client({ connectionString: url }), { bus });
  await rig.open();
  const resumedEarly = watchForResumption(rig);
  const stream = new Stream(rig);
  try {
    await vi.waitFor(() => expect(stream.acknowledged.length).toBeGreaterThanOrEqual(BEFORE), WAIT);
    await vi.waitFor(() => expect(rig.targets().length).toBeGreaterThanOrEqual(BEFORE / 2), WAIT);
    await server.kill();
    const before = stream.acknowledged.length;
    const isBusThere = bus.kind === 'kafka';
    if (isBusThere)
      await vi.waitFor(() => expect(stream.acknowledged.length).toBeGreaterThanOrEqual(before + MEANWHILE), WAIT);
    const meanwhile = stream.acknowledged.slice(before);
    const held = (): readonly string[] => meanwhile.filter((target) => rig.targets().includes(target));
    await vi.waitFor(() => expect(held()).toEqual(meanwhile), WAIT);
    const heldMeanwhile = held();
    await server.start();
    const backMs = performance.now();
    const back = stream.acknowledged.length;
    await vi.waitFor(() => expect(stream.acknowledged.length).toBeGreaterThan(back), WAIT);
    const first = stream.acknowledged[back] ?? '';
    await vi.waitFor(async () => expect(await flipsOf(url, rig.namespace)).toContain(first), WAIT);
    const durableAgainMs = performance.now() - backMs;
    await vi.waitFor(() => expect(stream.acknowledged.length).toBeGreaterThanOrEqual(back + AFTER), WAIT);
    await stream.end();
    const { acknowledged } = stream;
    await vi.waitFor(
      async () => expect(await flipsOf(url, rig.namespace)).toEqual(expect.arrayContaining([...acknowledged])),
      WAIT,
    );
    const flips = await flipsOf(url, rig.namespace);
    return { acknowledged, meanwhile, heldMeanwhile, flips, resumedEarly: [...resumedEarly], durableAgainMs };
  } finally {
    await stream.end();
    await rig.close();
  }
}

/** What was stopped in the executor's process once, and is not at a later change; nobody releases anything here. */
function watchForResumption(rig: ExecutorOnServers): ReadonlySet<string> {
  const [stopped, resumed] = [new Set<string>(), new Set<string>()];
  rig.registry.onChange(() => {
    const now = new Set(rig.targets());
    for (const target of stopped) if (!now.has(target)) resumed.add(target);
    for (const target of now) stopped.add(target);
  });
  return resumed;
}

/** A detector that never rests: what the bus does not take is given up. */
class Stream {
  readonly acknowledged: string[] = [];
  #isOver = false;
  readonly #ended: Promise<void>;

  constructor(rig: ExecutorOnServers) {
    this.#ended = this.#run(rig);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#ended;
  }

  async #run(rig: ExecutorOnServers): Promise<void> {
    while (!this.#isOver) {
      const target = `t-${randomUUID()}`;
      await rig.publish(rig.alert({ target }), target).then(
        () => this.acknowledged.push(target),
        () => undefined,
      );
      await pause(BEAT_MS);
    }
  }
}

function flipsOf(url: string, namespace: string): Promise<readonly string[]> {
  const sql = `select text::jsonb ->> 'target' as target from killdrill.flip where namespace = $1 order by revision`;
  return withClient(url, async (client) =>
    (await client.query<{ target: string }>(sql, [namespace])).rows.map(({ target }) => target),
  );
}

async function withClient<T>(connectionString: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000, query_timeout: 20_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** No acknowledged alert is lost, none is a stop twice, and nobody was let go in between. */
export function expectNothingLost(loss: StoreLoss): void {
  const times = new Map<string, number>();
  for (const target of loss.flips) times.set(target, (times.get(target) ?? 0) + 1);
  expect(loss.acknowledged.filter((target) => times.get(target) !== 1)).toEqual([]);
  expect([...times.values()].filter((count) => count > 1)).toEqual([]);
  expect(loss.resumedEarly).toEqual([]);
  expect(loss.heldMeanwhile).toEqual(loss.meanwhile);
}
