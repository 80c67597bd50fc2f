import { afterEach, beforeEach, expect, it } from 'vitest';
import { deedsOf } from './guide.ts';
import { followGuide } from './follow-guide.ts';
import { Reader } from './reader.ts';

const GUIDE = 'kill-switch-in-a-file';
let reader: Reader;

beforeEach(() => {
  reader = new Reader('', { KILL_SWITCH_KEY: 'the key of a reader of guides' });
});
afterEach(() => reader.close());

it('has a kill switch in a file that refuses, and stops by hand, and is released', async () => {
  const printed = await followGuide(reader, GUIDE);
  expect(printed).toContain('does write/mail');
  expect(printed).toMatch(/stopped by \S+ halt_noncritical/);
  expect(printed).toMatch(/open: \S+ it writes what nobody asked for ada/);
  expect(printed).toMatch(/released 1 disengaged/);
});

it('refuses between its stop and its release, as the guide says', async () => {
  const modules = deedsOf(`docs/guides/${GUIDE}.md`).filter((deed) => deed.kind === 'module');
  const [make, ask, stop] = modules.map(({ file, text }) => {
    reader.writeModule(file, text);
    return file;
  });
  for (const file of [make, stop]) expect(await reader.runModule(file ?? '')).toMatchObject({ code: 0 });
  const { stdout } = await reader.runModule(ask ?? '');
  expect(stdout).toContain('refused write/mail operator it writes what nobody asked for');
  expect(stdout).toContain('does pay/salaries');
});

it('compiles, with everything that the project asks of its own', async () => {
  for (const deed of deedsOf(`docs/guides/${GUIDE}.md`))
    if (deed.kind === 'module') reader.writeModule(deed.file, deed.text);
  expect(await reader.complaints()).toBe('');
});
