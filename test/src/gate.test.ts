import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EffectFailedError } from '../../src/call.ts';
import type { Effect } from '../../src/effect.ts';
import { HaltedError } from '../../src/halted-error.ts';
import { currentRun } from '../../src/run-context.ts';
import { Fate } from './fate.ts';
import { GateRig, HeldCall, LOOKUP, MAIL } from './gate-rig.ts';
import { settled } from './manual-clock.ts';
import { claimedTask } from './scripted-queue.ts';

const RUN = { run: 'r1', agent: 'a1', tenant: 'acme', feature: 'chat' };

/** Starts an effect in a run of its own. */
function send(rig: GateRig, held: HeldCall, effect: Effect = MAIL, identity = RUN): Fate {
  return new Fate(rig.gate.enter(identity, () => rig.gate.run(effect, held.call)));
}

function haltedOf(fate: Fate): HaltedError {
  if (fate.error instanceof HaltedError) return fate.error;
  throw new Error(`expected a HaltedError, found: ${fate.now}`);
}

describe('an effect through the gate', () => {
  it('has its intent admitted, is dispatched, and leaves its outcome', async () => {
    const rig = new GateRig();
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    expect(rig.sent).toEqual([
      [
        expect.objectContaining({
          seq: 1,
          run: 'r1',
          tenant: 'acme',
          capability: 'write/mail',
          idempotencyKey: 'key-1',
        }),
      ],
    ]);
    expect(held.started).toBe(1);
    expect(rig.inFlight.count).toBe(1);
    held.resolve('sent');
    await settled();
    expect(fate.now).toBe('resolved sent');
    expect(rig.recorded).toEqual([{ seq: 1, kind: 'landed', detail: null }]);
    expect(rig.inFlight.count).toBe(0);
    expect(rig.clock.timerCount).toBe(0);
  });

  it('is not dispatched when the stop comes while its intent is awaited, and is recorded as blocked', async () => {
    const rig = new GateRig();
    rig.holding = true;
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    expect(rig.sent).toHaveLength(1);
    rig.stop({ scope: 'tenant', target: 'acme', reason: 'write-rate anomaly' });
    await rig.letIn();
    expect(held.started).toBe(0);
    expect(rig.gate.dispatchedCount).toBe(0);
    expect(haltedOf(fate)).toMatchObject({
      agentId: 'a1',
      kind: 'operator',
      scope: 'tenant',
      target: 'acme',
      mode: 'halt_all',
      revision: 1,
      reason: 'write-rate anomaly',
      retryable: false,
    });
    expect(rig.recorded).toEqual([expect.objectContaining({ seq: 1, kind: 'blocked' })]);
  });

  it('is never dispatched after the trip, however many wait for their intents', async () => {
    const rig = new GateRig();
    rig.holding = true;
    const calls = Array.from({ length: 600 }, () => new HeldCall());
    const fates = calls.map((held, at) =>
      send(rig, held, { ...MAIL, idempotencyKey: `k${at}` }, { ...RUN, run: `r${at}` }),
    );
    await settled();
    rig.stop();
    await rig.letIn();
    await rig.letIn();
    expect(calls.every(({ started }) => started === 0)).toBe(true);
    expect(fates.every((fate) => haltedOf(fate).kind === 'operator')).toBe(true);
    const admitted = rig.sent.flat().length;
    expect(rig.recorded.filter(({ kind }) => kind === 'blocked')).toHaveLength(admitted);
  });

  it('is not dispatched when the lease ends while its intent is awaited', async () => {
    const rig = new GateRig();
    rig.holding = true;
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    rig.clock.block(rig.lease.leaseMs);
    await rig.letIn();
    expect(held.started).toBe(0);
    expect(haltedOf(fate).kind).toBe('unverified');
    expect(rig.recorded).toEqual([expect.objectContaining({ kind: 'blocked' })]);
  });

  it('is refused under a stop before it asks the store', async () => {
    const rig = new GateRig();
    rig.stop();
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    expect(haltedOf(fate).kind).toBe('operator');
    expect([rig.sent.length, held.started]).toEqual([0, 0]);
  });

  it('needs a run to belong to', async () => {
    const rig = new GateRig();
    await expect(rig.gate.run(MAIL, () => Promise.resolve())).rejects.toMatchObject({ code: 'NO_RUN' });
    expect(() => rig.gate.bind()).toThrow(/outside of a run/);
  });
});

describe('what became of a call', () => {
  async function ended(end: (held: HeldCall) => void): Promise<{ readonly rig: GateRig; readonly fate: Fate }> {
    const rig = new GateRig();
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    end(held);
    await settled();
    return { rig, fate };
  }

  it('is failed when the downstream said so', async () => {
    const { rig, fate } = await ended(({ reject }) => reject(new EffectFailedError('mailbox full')));
    expect(fate.now).toBe('rejected mailbox full');
    expect(rig.recorded).toEqual([{ seq: 1, kind: 'failed', detail: 'mailbox full' }]);
  });

  it('is unknown after any other error', async () => {
    const { rig, fate } = await ended(({ reject }) => reject(new Error('socket hang up')));
    expect(fate.now).toBe('rejected socket hang up');
    expect(rig.recorded).toEqual([{ seq: 1, kind: 'unknown', detail: 'socket hang up' }]);
  });

  it.each<[string, unknown]>([
    ['a text', 'just words'],
    ['undefined', undefined],
    ['an object without a prototype', Object.create(null)],
    ['an error whose message is no text', Object.assign(new Error('x'), { message: 7 })],
    ['a symbol', Symbol('s')],
  ])('is unknown when %s is thrown, and the caller is answered', async (_name, thrown) => {
    const { rig, fate } = await ended(({ reject }) => reject(thrown));
    expect(fate.now).toMatch(/^rejected/);
    expect(rig.recorded).toEqual([{ seq: 1, kind: 'unknown', detail: expect.any(String) }]);
    expect(rig.inFlight.count).toBe(0);
  });

  it('holds no NUL, which would keep the journal from storing it and all behind it', async () => {
    const { rig } = await ended(({ reject }) => reject(new Error(`a${'\0'}b${'x'.repeat(1_000)}`)));
    expect(rig.recorded[0]?.detail).not.toContain('\0');
    expect(rig.recorded[0]?.detail).toHaveLength(500);
  });

  it('is unknown when the call throws before it returns a promise', async () => {
    const rig = new GateRig();
    const fate = new Fate(
      rig.gate.enter(RUN, () =>
        rig.gate.run(MAIL, () => {
          throw new Error('at once');
        }),
      ),
    );
    await settled();
    expect(fate.now).toBe('rejected at once');
    expect(rig.recorded).toEqual([{ seq: 1, kind: 'unknown', detail: 'at once' }]);
    expect([rig.inFlight.count, rig.clock.timerCount]).toEqual([0, 0]);
  });

  it('is landed for what answers after its abort, though the caller was told of the halt at once', async () => {
    const rig = new GateRig();
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    rig.stop();
    expect(held.signal?.aborted).toBe(true);
    await settled();
    expect(haltedOf(fate).kind).toBe('operator');
    expect(held.signal?.reason).toBe(fate.error);
    expect([rig.inFlight.count, rig.recorded.length]).toEqual([1, 0]);
    held.resolve('too late to cancel');
    await settled();
    expect(rig.recorded).toEqual([{ seq: 1, kind: 'landed', detail: null }]);
  });

  it('is unknown for what ignores its signal, and only once its deadline has passed', async () => {
    const rig = new GateRig();
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    rig.stop();
    await settled();
    rig.clock.advance(999);
    expect(rig.inFlight.count).toBe(1);
    rig.clock.advance(1);
    await settled();
    expect(rig.inFlight.count).toBe(0);
    expect(rig.recorded).toEqual([expect.objectContaining({ seq: 1, kind: 'unknown' })]);
    expect(haltedOf(fate).kind).toBe('operator');
    held.resolve('much too late');
    await settled();
    expect(rig.recorded).toHaveLength(1);
  });

  it('ends at its deadline without a stop, too', async () => {
    const rig = new GateRig();
    const held = new HeldCall();
    const fate = send(rig, held);
    await settled();
    rig.clock.advance(1_000);
    await settled();
    expect(fate.error).toMatchObject({ code: 'DEADLINE' });
    expect(held.signal?.aborted).toBe(true);
    expect(rig.recorded).toEqual([expect.objectContaining({ kind: 'unknown' })]);
  });
});

describe('a journal-free read', () => {
  it('asks no store, and is held by registry and lease', async () => {
    const rig = new GateRig();
    const held = new HeldCall();
    const fate = send(rig, held, LOOKUP);
    expect(held.started).toBe(1);
    held.resolve('found');
    await settled();
    expect([fate.now, rig.sent.length, rig.recorded.length]).toEqual(['resolved found', 0, 0]);
    rig.clock.block(rig.lease.leaseMs);
    const unverified = send(rig, held, LOOKUP);
    rig.verify();
    rig.stop();
    const stopped = send(rig, held, LOOKUP);
    await settled();
    expect([haltedOf(unverified).kind, haltedOf(stopped).kind, held.started]).toEqual(['unverified', 'operator', 1]);
  });

  it('is aborted by a stop like any other call', async () => {
    const rig = new GateRig();
    const held = new HeldCall();
    const fate = send(rig, held, LOOKUP);
    rig.stop();
    await settled();
    expect(haltedOf(fate).kind).toBe('operator');
    expect(held.signal?.aborted).toBe(true);
  });
});

describe('the latch of a run', () => {
  it('refuses with the same error object, whatever it is asked, also after the release', async () => {
    const rig = new GateRig();
    await rig.gate.enter(RUN, async () => {
      const id = rig.stop({ scope: 'capability', target: 'write/*' });
      const first = new Fate(rig.gate.run(MAIL, () => Promise.resolve()));
      await settled();
      rig.release(id);
      expect(rig.registry.openCount).toBe(0);
      const second = new Fate(rig.gate.run({ ...LOOKUP, journal: true }, () => Promise.resolve()));
      const third = new Fate(rig.gate.run(LOOKUP, () => Promise.resolve()));
      await settled();
      expect(haltedOf(first).kind).toBe('operator');
      expect([second.error, third.error, rig.gate.bind().refusal()]).toEqual([first.error, first.error, first.error]);
      expect(second.error).toBe(first.error);
    });
    const other = new Fate(
      rig.gate.enter({ ...RUN, run: 'r2' }, () => rig.gate.run(LOOKUP, () => Promise.resolve('flows'))),
    );
    await settled();
    expect(other.now).toBe('resolved flows');
  });

  it('is not set while unverified: the run goes on once the registry is verified again', async () => {
    const rig = new GateRig();
    await rig.gate.enter(RUN, async () => {
      rig.clock.block(rig.lease.leaseMs);
      const check = rig.gate.bind();
      const refused = check.refusal();
      expect(refused?.kind).toBe('unverified');
      expect(check.refusal(), 'refusing in a loop costs no stack').toBe(refused);
      rig.verify();
      expect(check.refusal()).toBeNull();
      await expect(rig.gate.run(LOOKUP, () => Promise.resolve('flows'))).resolves.toBe('flows');
    });
  });

  it('binds a run that is started within the stopped one', async () => {
    const rig = new GateRig();
    await rig.gate.enter(RUN, async () => {
      const id = rig.stop({ scope: 'agent', target: 'a1' });
      const refused = rig.gate.bind().refusal();
      rig.release(id);
      const child = { run: 'child', agent: 'a2' };
      const within = new Fate(rig.gate.enter(child, () => rig.gate.run(LOOKUP, () => Promise.resolve())));
      await settled();
      expect(within.error).toBe(refused);
    });
  });

  it('sees a stop through a check that was bound long before', () => {
    const rig = new GateRig();
    rig.gate.enter(RUN, () => {
      const check = rig.gate.bind('write/mail');
      expect(check.refusal()).toBeNull();
      rig.stop({ scope: 'capability', target: 'write/mail' });
      expect(check.refusal()?.kind).toBe('operator');
    });
  });
});

describe('a run', () => {
  it('has the lineage, tenant, feature and claim of the run that it is inside of', () => {
    const rig = new GateRig();
    const claim = { task: 't1', token: 'token' };
    rig.gate.enter({ ...RUN, lineage: ['root'], claim }, () =>
      rig.gate.enter({ run: 'r2', agent: 'a2' }, () => {
        rig.gate.enter({ run: 'r3', agent: 'a3', tenant: 'other', lineage: ['r2', 'more'], claim: null }, (inner) => {
          expect(inner.subject).toMatchObject({
            tenant: 'other',
            feature: 'chat',
            lineage: ['root', 'r1', 'r2', 'more'],
          });
          expect(inner.claim).toBeNull();
        });
        expect(currentRun().subject).toMatchObject({
          tenant: 'acme',
          feature: 'chat',
          run: 'r2',
          lineage: ['root', 'r1'],
        });
        expect(currentRun().claim).toBe(claim);
      }),
    );
  });

  it('is stopped by the switch of any ancestor', () => {
    const rig = new GateRig();
    rig.stop({ scope: 'run', target: 'r1' });
    const kind = rig.gate.enter(RUN, () =>
      rig.gate.enter({ run: 'r2', agent: 'a2' }, () => rig.gate.bind().refusal()?.kind),
    );
    expect(kind).toBe('operator');
  });

  it.each([
    { ...RUN, run: '' },
    { ...RUN, agent: 'a\0' },
    { ...RUN, tenant: 'x'.repeat(1_001) },
    { ...RUN, lineage: ['fine', ''] },
    { ...RUN, feature: 7 as unknown as string },
  ])('is refused with a name that the store cannot keep: %#', (identity) => {
    expect(() => new GateRig().gate.enter(identity, () => undefined)).toThrow(/expected 1 to 1000 bytes/);
  });
});

describe('an effect that is not well-formed', () => {
  const junk: readonly (readonly [string, Partial<Record<keyof Effect, unknown>>])[] = [
    ['capability', { capability: '' }],
    ['capability', { capability: undefined }],
    ['capability', { capability: 'write mail' }],
    ['capability', { capability: 'write/*' }],
    ['capability', { capability: '/write' }],
    ['capability', { capability: 'write/' }],
    ['capability', { capability: 'a\0b' }],
    ['idempotencyKey', { idempotencyKey: '' }],
    ['idempotencyKey', { idempotencyKey: undefined }],
    ['idempotencyKey', { idempotencyKey: 'k\0' }],
    ['deadlineMs', { deadlineMs: 0 }],
    ['deadlineMs', { deadlineMs: -1 }],
    ['deadlineMs', { deadlineMs: Number.NaN }],
    ['deadlineMs', { deadlineMs: Number.POSITIVE_INFINITY }],
    ['deadlineMs', { deadlineMs: undefined }],
    ['deadlineMs', { deadlineMs: '100' }],
    ['access', { access: 'delete' }],
    ['access', { access: undefined }],
    ['journal', { journal: false }],
  ];
  it.each(junk)('is refused for its %s: %j', async (field, wrong) => {
    const rig = new GateRig();
    const held = new HeldCall();
    const fate = send(rig, held, { ...MAIL, ...wrong } as Effect);
    await settled();
    expect(fate.error).toMatchObject({
      code: 'EFFECT_INVALID',
      message: expect.stringContaining(`an effect's ${field} `),
    });
    expect([held.started, rig.sent.length]).toEqual([0, 0]);
  });
});

describe('a tool', () => {
  it('asks the gate before each call, with an effect made from the argument', async () => {
    const rig = new GateRig();
    const mail = rig.gate.tool(
      (to: string) => ({ ...MAIL, idempotencyKey: `mail-${to}` }),
      (to, { idempotencyKey, notAfterMs }) =>
        Promise.resolve(`${to} ${idempotencyKey} ${notAfterMs - rig.clock.monotonicMs()}`),
    );
    await expect(rig.gate.enter(RUN, () => mail('ann'))).resolves.toBe('ann mail-ann 1000');
    rig.stop();
    await expect(rig.gate.enter(RUN, () => mail('bob'))).rejects.toMatchObject({ kind: 'operator' });
    expect(rig.gate.dispatchedCount).toBe(1);
  });

  it('rejects, and does not throw, when its effect cannot be made', async () => {
    const rig = new GateRig();
    const broken = rig.gate.tool(
      (): Effect => {
        throw new Error('no effect');
      },
      () => Promise.resolve(),
    );
    const fate = new Fate(rig.gate.enter(RUN, () => broken(undefined)));
    await settled();
    expect(fate.now).toBe('rejected no effect');
  });
});

describe('a call that waits before bytes leave', () => {
  it('can ask again, and gets what the gate would throw', async () => {
    const rig = new GateRig();
    let recheck = (): void => undefined;
    const fate = new Fate(
      rig.gate.enter(RUN, () =>
        rig.gate.run(MAIL, (sending) => {
          ({ recheck } = sending);
          return new Promise(() => undefined);
        }),
      ),
    );
    await settled();
    expect(() => recheck()).not.toThrow();
    rig.stop();
    await settled();
    expect(() => recheck()).toThrow(haltedOf(fate));
  });
});

describe('a claimed task', () => {
  const TASK = claimedTask('t1', { admittedRevision: 4, critical: true, feature: 'chat' });

  it('is entered under its claim, stamp and class, and hands them down to what runs within it', () => {
    const { gate } = new GateRig();
    gate.enterTask(TASK, (context) => {
      expect(context.subject).toMatchObject({ run: 't1', admittedRevision: 4, critical: true, lineage: ['root'] });
      expect(context.claim).toEqual({ task: 't1', token: 'token-t1' });
      gate.enter({ run: 'child', agent: 'a2' }, (child) => {
        expect(child.subject).toMatchObject({ admittedRevision: 4, critical: true, lineage: ['root', 't1'] });
        expect(child.claim).toBe(context.claim);
      });
      gate.enter({ run: 'other', agent: 'a2', claim: null, admittedRevision: null, critical: false }, (other) => {
        expect(other.subject).toMatchObject({ admittedRevision: null, critical: false });
      });
    });
  });

  it('is no task for a run that nobody queued: it has no stamp and no class', () => {
    new GateRig().gate.enter(RUN, ({ subject }) => {
      expect(subject).toMatchObject({ admittedRevision: null, critical: false });
    });
  });
});

describe('a call over the network', () => {
  let server: Server;
  let url: string;
  const closed: string[] = [];

  beforeAll(async () => {
    server = createServer((request, response) => {
      response.once('close', () => closed.push(request.url ?? ''));
      if (request.url !== '/stream') return;
      response.writeHead(200);
      response.write('first piece');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each(['/stream', '/60-seconds'])('%s ends at once when its run is stopped, on the wire too', async (path) => {
    const rig = new GateRig();
    const pieces: string[] = [];
    const effect = { ...MAIL, capability: 'model/chat', deadlineMs: 120_000 };
    const fate = new Fate(
      rig.gate.enter(RUN, () =>
        rig.gate.run(effect, async ({ signal }) => {
          const answer = await fetch(url + path, { signal });
          for await (const piece of answer.body ?? []) pieces.push(new TextDecoder().decode(piece as Uint8Array));
        }),
      ),
    );
    if (path === '/stream') await vi.waitFor(() => expect(pieces).toEqual(['first piece']));
    else await vi.waitFor(() => expect(rig.inFlight.count).toBe(1));
    rig.stop({ scope: 'tenant', target: 'acme' });
    await settled();
    expect(fate.error).toMatchObject({ kind: 'operator', engagement: 'e1' });
    await vi.waitFor(() => expect([rig.inFlight.count, rig.recorded]).toMatchObject([0, [{ kind: 'unknown' }]]));
    if (path === '/stream') await vi.waitFor(() => expect(closed).toContain(path));
    expect([rig.inFlight.unconfirmed(), rig.clock.timerCount]).toEqual([[], 0]);
  });
});
