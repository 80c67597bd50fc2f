import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoreHandles } from '../src/store/contract/world.ts';
import { prepareDatabase } from '../src/store/postgres/prepared-database.ts';
import type { PreparedDatabase } from '../src/store/postgres/prepared-database.ts';
import { sampleIntent, sampleTask, stopText } from '../src/store/samples.ts';
import { deedsOf } from './guide.ts';
import { GIVEN, followGuide } from './follow-guide.ts';
import { Reader } from './reader.ts';

// Each starts the compiler and a dozen processes, on a machine that others use too.
vi.setConfig({ testTimeout: 240_000 });
const NAMESPACE = 'payments';
const GUIDES = [
  'put-the-gate-into-an-agent',
  'queue-work-through-the-gate',
  'stop-a-fleet',
  'stop-and-bring-back',
  'detectors',
  'alerts',
  'keys',
  'drill-your-own-fleet',
] as const;
let database: PreparedDatabase;
let store: StoreHandles;
let reader: Reader;

beforeEach(async () => {
  database = await prepareDatabase();
  await database.addNamespace(NAMESPACE);
  store = database.open(NAMESPACE);
  const { ownerUrl, workerUrl, flipperUrl } = database;
  reader = new Reader(GIVEN, { OWNER_URL: ownerUrl, WORKER_URL: workerUrl, FLIPPER_URL: flipperUrl });
});
afterEach(async () => {
  reader.close();
  await store.close();
  await database.close();
});

type Guide = (typeof GUIDES)[number];

function follow(guide: Guide, beforeEachDeed?: () => Promise<unknown>): Promise<string> {
  return followGuide(reader, guide, beforeEachDeed);
}

async function rows(sql: string): Promise<readonly unknown[]> {
  const owner = await database.connect(database.ownerUrl);
  return (await owner.query<Readonly<Record<string, unknown>>>(sql, [NAMESPACE])).rows;
}

describe('the code of the README and the guides', () => {
  it('compiles, with everything that the project asks of its own', async () => {
    const pages = ['README.md', ...GUIDES.map((guide) => `docs/guides/${guide}.md`)];
    const modules = pages.flatMap(deedsOf).filter((deed) => deed.kind === 'module');
    for (const { file, text } of modules) reader.writeModule(file, text);
    expect(modules.map(({ file }) => file)).toContain('README-0.ts');
    expect(await reader.complaints()).toBe('');
    reader.writeModule('wrong.ts', 'await mail.send(1);');
    expect(await reader.complaints()).toMatch(/^wrong\.ts.*error TS/);
  });
});

describe('a reader who does what the guide says', () => {
  it('has a gate in the agent, which sends, and refuses behind a stop', async () => {
    expect(await follow('put-the-gate-into-an-agent')).toContain('sent your invoice run-17/1');
    await store.control.flip(stopText(NAMESPACE, { scope: 'tenant', target: 'acme' }), null);
    const again = await follow('put-the-gate-into-an-agent');
    expect(again).toContain('operator it writes what nobody asked for');
    expect(again).not.toContain('sent');
  });

  it('has queued work, and says what is critical', async () => {
    const printed = await follow('queue-work-through-the-gate');
    expect(printed).toContain('sent your invoice run-17/0');
    expect(await rows('select id, kind, state, past_due from killdrill.task where namespace = $1 order by id')).toEqual(
      [
        { id: 'run-17', kind: 'run', state: 'done', past_due: 'fire' },
        { id: 'run-17-check', kind: 'child', state: 'queued', past_due: 'fire' },
        { id: 'run-17/paid', kind: 'webhook', state: 'queued', past_due: 'fire' },
        { id: 'run-17/reminder', kind: 'timer', state: 'queued', past_due: 'shift' },
        { id: 'run-17/report', kind: 'timer', state: 'queued', past_due: 'fire' },
      ],
    );
    expect((await store.flips.load()).critical).toEqual(['read/crm', 'model/*']);
  });

  it('has detectors that see a loop and a cost, in the agent and read its ledger', async () => {
    const { head } = await store.flips.load();
    const intents = [1, 2, 3].map((seq) => sampleIntent(seq, { capability: 'write/mail' }));
    await store.fence.admitIntents('worker-1', head, intents);
    const printed = await follow('detectors');
    expect(printed.match(/^sent look up .*$/gm)).toHaveLength(3);
    expect(printed).toMatch(
      /^alert: halt_all of run:run-17: run run-17 \(read\/crm\) has made the same call 3 times within 60 s; 3 is a loop$/m,
    );
    expect(printed).toMatch(/^alert: halt_all of run:run-17: run run-17 has spent 6 within 3600 s; 5 is too much$/m);
    expect(printed).toContain('3 rows, 0 unreadable; red at the end: 0');
  });

  it('has an executor that makes an alert a stop, and keeps what nobody can read', async () => {
    const printed = await follow('alerts');
    expect(printed).toMatch(/^poison unreadable$/m);
    expect(printed).toMatch(/^tenant:acme: it writes too much \(writes per second 80/m);
    const [letter] = await rows('select code from killdrill.alert_dead_letter where namespace = $1');
    expect(letter).toEqual({ code: 'unreadable' });
    expect((await store.control.openEngagements()).map(({ flip }) => flip.target)).toEqual(['acme']);
  });

  it('makes keys, stops and releases signed, and has the record verified', async () => {
    const printed = await follow('keys');
    for (const said of [
      /^stop:[A-Za-z0-9+/]+=*$/m,
      /^stop\+release:[A-Za-z0-9+/]+=*$/m,
      /a key is never overwritten/,
      /released at revision 2/,
      /2 flips; 2 proven, 0 unsigned; 0 findings/,
      /the head is signed at revision 2/,
      /"signedThrough":2/,
      /signed the head at revision 2/,
    ]) {
      expect(printed).toMatch(said);
    }
    expect(printed).not.toContain('PRIVATE KEY');
    expect(await store.control.openEngagements()).toEqual([]);
  });

  it('has a scenario for a fleet of their own that is valid', async () => {
    expect(await follow('drill-your-own-fleet')).toContain('my-drill.yaml');
  });

  it('sees what a stop would hit, and stops it by one command', async () => {
    const { head } = await store.flips.load();
    await store.fence.enqueue(
      head,
      ['run-17', 'run-18'].map((id) => sampleTask(id)),
    );
    const printed = await follow('stop-a-fleet');
    expect(printed).toMatch(/halt_all of global:\* would hit, at revision 0:\n {2}2 runs, on 0 workers/);
    expect(printed).toMatch(/│ tenant acme +│ +100 % │/);
    expect(printed.match(/^durable at revision \d, by postgresql: /gm)).toHaveLength(4);
    expect(printed).toContain("'acme' is no scope");
    expect(printed).toContain('nothing is kept here');
    expect((await store.control.openEngagements()).map(({ flip }) => `${flip.scope}:${flip.target}`)).toEqual([
      'tenant:acme',
      'capability:write/*',
      'feature:mailer',
      'global:*',
    ]);
  });

  it('stops a tenant, compensates, is refused while it is red, and brings the work back', async () => {
    const { head } = await store.flips.load();
    await store.fence.enqueue(
      head,
      ['run-17', 'run-18', 'run-19'].map((id) => sampleTask(id)),
    );
    await store.fence.admitIntents('worker-1', head, [sampleIntent(1), sampleIntent(2), sampleIntent(3)]);
    await store.outcomes.record('worker-1', [
      { seq: 1, kind: 'landed', detail: null },
      { seq: 2, kind: 'failed', detail: null },
    ]);
    const sweep = async (): Promise<void> => {
      while ((await store.tasks.sweep(1_000)).more);
    };
    const printed = await follow('stop-and-bring-back', sweep);
    expect(printed.match(/^sent sorry for .*$/gm)).toHaveLength(2);
    for (const said of [
      /durable at revision 1/,
      /│ tenant:acme/,
      /^2026.*,write\/mail,write,landed,key-1,/m,
      /the release is red: .*greeting-7/,
      /released at revision 2/,
      /resumed 2 tasks of 2 runs, due now\n/,
      /resumed 1 tasks of 1 runs/,
      /nothing was discarded there/,
      /'run-nobody-stopped' \(unknown here\)/,
    ]) {
      expect(printed).toMatch(said);
    }
    expect(await store.control.openEngagements()).toEqual([]);
    expect(await rows('select distinct state from killdrill.task where namespace = $1')).toEqual([{ state: 'queued' }]);
    const sql = 'select kind, refusal_code as refused from killdrill.operator_action where namespace = $1 order by id';
    expect(await rows(sql)).toMatchObject([
      { kind: 'contract' },
      ...Array.from({ length: 2 }, () => [{ kind: 'compensation' }, { kind: 'outcome' }]).flat(),
      { kind: 'release', refused: 'RELEASE_NOT_GREEN' },
      { kind: 'contract' },
      { kind: 'resume' },
      { kind: 'resume' },
      { kind: 'resume' },
      { kind: 'resume', refused: 'RUN_NOT_STOPPED' },
    ]);
  });
});
