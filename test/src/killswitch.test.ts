import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { HaltedError } from '../../src/halted-error.ts';
import { KillSwitch } from '../../src/killswitch.ts';
import { RUNNING, nextTick, openSwitch, stateFolder } from './propagation/state-stage.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = stateFolder();
  path = join(folder, 'state.json');
});

function refusalOf(check: () => void): HaltedError {
  try {
    check();
  } catch (error) {
    if (error instanceof HaltedError) return error;
  }
  throw new Error('it was not refused');
}

describe('a kill switch in a file', () => {
  it('lets run, stops every process on its file, and lets them run again', async () => {
    const [one, other] = [openSwitch(path), openSwitch(path)];
    one.create();
    expect([one.mode, one.engaged, other.engaged]).toEqual(['disengaged', false, false]);
    expect(() => other.check('write/mail')).not.toThrow();
    const { id, notWritten } = await one.engage('it writes what nobody asked for', { by: 'ada' });
    expect(notWritten).toBeNull();
    const refused = refusalOf(() => other.check('write/mail'));
    expect(refused).toMatchObject({ kind: 'operator', engagement: id, mode: 'halt_all', retryable: false });
    expect(other.getStatus().engagements).toMatchObject([{ id, triggeredBy: 'ada' }]);
    expect(await other.disengage('rolled back')).toEqual([id]);
    expect([one.mode, other.mode, openSwitch(path).mode]).toEqual(['disengaged', 'disengaged', 'disengaged']);
  });

  it('wants a key, unless it is told that none is required', () => {
    expect(() => new KillSwitch({ path })).toThrow(/requireHmac: false/);
    expect(() => new KillSwitch({ path, hmacKey: 'short' })).toThrow(/at least 16/);
    const open = new KillSwitch({ path, requireHmac: false });
    open.create();
    expect(open.mode).toBe('disengaged');
    // Nor is a file without a seal believed by those who require one.
    expect(openSwitch(path, { namespace: 'default' }).getStatus()).toMatchObject({ verified: false, engaged: true });
  });

  it('refuses everything without a file, and makes none by itself', () => {
    const alone = openSwitch(path);
    expect(alone.mode).toBe('unverified');
    expect(refusalOf(() => alone.check())).toMatchObject({ kind: 'unverified', message: /there is no state file/ });
    expect(existsSync(path)).toBe(false);
    alone.create();
    expect(() => alone.create()).toThrow(/there already/);
  });

  it('lets critical tasks pass a stop of the others only', async () => {
    const here = openSwitch(path, { criticalTasks: ['pay/*'] });
    here.create();
    await here.engage('mild', { mode: 'halt_noncritical' });
    expect(() => here.check('pay/salaries')).not.toThrow();
    expect(() => here.check('write/mail')).toThrow(/mild/);
    await here.engage('all', { mode: 'halt_all' });
    expect(() => here.check('pay/salaries')).toThrow(/all/);
    expect(here.mode).toBe('halt_all');
  });

  it('is stopped by a switch of its own tenant, and not by another’s', async () => {
    const [acme, globex] = [openSwitch(path, { tenant: 'acme' }), openSwitch(path, { tenant: 'globex' })];
    acme.create();
    await acme.engage('one tenant', { on: { scope: 'tenant', target: 'acme' } });
    expect(acme.engaged).toBe(true);
    expect(globex.engaged).toBe(false);
    expect(globex.getStatus().engagements).toHaveLength(1);
  });

  it('loses no stop of many writers at once, and ends only the stops that are named', async () => {
    const writers = Array.from({ length: 6 }, () => openSwitch(path));
    openSwitch(path).create();
    const taken = await Promise.all(writers.map((one, nth) => one.engage(`stop ${nth}`)));
    const ids = taken.map(({ id }) => id).toSorted();
    const shown = (): string[] =>
      openSwitch(path)
        .getStatus()
        .engagements.map(({ id }) => id)
        .toSorted();
    expect(shown()).toEqual(ids);
    await Promise.all(ids.slice(1).map((id) => openSwitch(path).disengage('over', { engagements: [id] })));
    expect(shown()).toEqual(ids.slice(0, 1));
    expect(readdirSync(folder)).toHaveLength(2);
  });
});

describe('a folder that takes no file', () => {
  it('is named by whoever would release, and nothing is released', async () => {
    expect(() => openSwitch(join(folder, 'later', 'state.json')).create()).toThrow(/could not be written .*ENOENT/);
    openSwitch(path).create();
    const { id } = await openSwitch(path).engage('now');
    const cannot = openSwitch(path, { newId: () => 'no/such/folder' });
    await expect(cannot.disengage('over')).rejects.toMatchObject({
      code: 'STATE_FILE_UNWRITTEN',
      message: expect.stringContaining(`${path} could not be written (ENOENT`) as string,
    });
    expect(openSwitch(path).getStatus().engagements).toMatchObject([{ id }]);
  });
});

describe('the lock of a kill switch’s file', () => {
  it('is taken from nobody when a crash of the machine has left it empty', async () => {
    openSwitch(path).create();
    writeFileSync(join(folder, '.state.json.lock'), '');
    const old = new Date(Date.now() - 10_000);
    utimesSync(join(folder, '.state.json.lock'), old, old);
    expect(await openSwitch(path).engage('now')).toMatchObject({ notWritten: null });
    expect(readdirSync(folder).filter((name) => name.includes('.lock'))).toEqual([]);
  });
});

describe('a hand at the file of a kill switch', () => {
  it('stops everything by a file named HALT, for good: taking it away releases nothing', async () => {
    const here = openSwitch(path);
    here.create();
    writeFileSync(join(folder, 'HALT'), 'smoke in the data centre\n');
    expect(here.getStatus()).toMatchObject({ mode: 'halt_all', verified: true });
    expect(here.getStatus().engagements[0]).toMatchObject({
      reason: 'smoke in the data centre',
      triggeredBy: 'a hand',
    });
    rmSync(join(folder, 'HALT'));
    expect([here.mode, openSwitch(path).mode]).toEqual(['halt_all', 'halt_all']);
    await here.disengage('the smoke was fog');
    expect([here.mode, openSwitch(path).mode]).toEqual(['disengaged', 'disengaged']);
  });

  it('stops anew by touching a HALT that was released', async () => {
    const here = openSwitch(path);
    here.create();
    writeFileSync(join(folder, 'HALT'), '');
    expect(here.engaged).toBe(true);
    await here.disengage('over');
    expect([here.mode, openSwitch(path).mode]).toEqual(['disengaged', 'disengaged']);
    nextTick(folder);
    writeFileSync(join(folder, 'HALT'), '');
    expect([here.mode, openSwitch(path).mode]).toEqual(['halt_all', 'halt_all']);
  });

  it('stops by raising a mode, of a switch that was there or is new', async () => {
    const [here, acme] = [openSwitch(path), openSwitch(path, { tenant: 'acme' })];
    here.create();
    edit((text) => text.replace(RUNNING, `${RUNNING},\n    "tenant:acme": "halt_all"`));
    expect([here.mode, acme.mode]).toEqual(['disengaged', 'halt_all']);
    edit((text) => text.replace(RUNNING, '"global:*": "emergency"'));
    expect(here.getStatus()).toMatchObject({ mode: 'emergency', verified: true });
    await openSwitch(path).disengage('over');
    expect([here.mode, acme.mode]).toEqual(['disengaged', 'disengaged']);
  });

  it('cannot release: what it lowers stays stopped, and the file is not trusted', async () => {
    const here = openSwitch(path);
    here.create();
    await here.engage('stopped');
    for (const lowered of ['"disengaged"', '"halt_noncritical"', '"off"', '""', '7']) {
      edit((text) => text.replace(/"global:\*": ".*"/, `"global:*": ${lowered}`));
      expect(here.getStatus(), lowered).toMatchObject({
        mode: 'halt_all',
        verified: false,
        why: /a hand can only stop/,
      });
      expect(openSwitch(path).getStatus(), lowered).toMatchObject({ mode: 'halt_all', verified: false });
      await here.engage('written anew');
    }
  });

  it.each([
    ['torn', (text: string) => text.slice(0, 90), /is not whole/],
    ['empty', () => '', /is not whole/],
    ['of another version', (text: string) => text.replace('"killdrill": 1', '"killdrill": 2'), /killdrill is wrong/],
    [
      'forged',
      (text: string) => text.replace('"ended": []', '"ended":[{"id":"a","by":"b","reason":"c","at":"d"}]'),
      /not sealed/,
    ],
    ['another namespace’s', (text: string) => text.replace('"files"', '"elsewhere"'), /namespace 'elsewhere'/],
  ])('makes it refuse everything by a file that is %s', async (_, damage, why) => {
    const here = openSwitch(path);
    here.create();
    edit(damage);
    expect(here.getStatus()).toMatchObject({ mode: 'unverified', engaged: true, verified: false, why });
    expect(() => here.check()).toThrow(HaltedError);
    await expect(here.disengage('go on', { engagements: ['x'] })).rejects.toThrow(/state file/);
  });

  it('cannot bring back an older file, to those who have seen the newer', async () => {
    const [here, other] = [openSwitch(path), openSwitch(path)];
    here.create();
    const before = readFileSync(path, 'utf8');
    await here.engage('stopped');
    await here.disengage('over');
    expect(other.mode).toBe('disengaged');
    edit(() => before);
    expect(other.getStatus()).toMatchObject({ mode: 'unverified', why: /was seen before/ });
  });

  it('is mended by a stop and its release, when a file is damaged or gone', async () => {
    const here = openSwitch(path);
    here.create();
    for (const damage of [() => writeFileSync(path, '{'), () => rmSync(path)]) {
      damage();
      expect(here.mode).toBe('unverified');
      const { id, notWritten } = await here.engage('mend it');
      expect(notWritten).toBeNull();
      expect(await openSwitch(path).disengage('mended')).toEqual([id]);
      expect(here.getStatus()).toMatchObject({ mode: 'disengaged', verified: true });
    }
  });

  it('stops this process though the folder takes no file', async () => {
    const here = openSwitch(join(folder, 'gone', 'state.json'));
    mkdirSync(join(folder, 'gone'));
    here.create();
    expect(here.mode).toBe('disengaged');
    rmSync(join(folder, 'gone'), { recursive: true });
    await expect(here.engage('stop')).rejects.toThrow(/could not be put beside/);
    expect(here.mode).toBe('halt_all');
  });

  function edit(change: (text: string) => string): void {
    nextTick(folder);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }
});
