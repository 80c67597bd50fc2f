import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nameOfDue, readCalendar } from '../../../harness/evidence/calendar-file.ts';
import { formatDays } from '../../../harness/evidence/days.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killdrill-calendar-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string) {
  const file = join(folder, 'calendar.yaml');
  writeFileSync(file, text);
  return readCalendar(file);
}

describe('calendar.yaml', () => {
  it('is quarterly unless it says otherwise, and takes the shortest time where it says two', () => {
    const text = `version: 1
coverage:
  - { scopes: [tenant, global], paths: [postgres, levers], every: 120d }
  - { scopes: [tenant], paths: [postgres] }
  - { scopes: [tenant], modes: [emergency], paths: [api], every: 30d, environment: [external] }
`;
    const { cells, everyMs, fleet } = read(text);
    expect(cells?.map((cell) => `${nameOfDue(cell)} ${formatDays(cell.everyMs)}`)).toEqual([
      'tenant × postgres 90d',
      'tenant × levers 120d',
      'global × postgres 120d',
      'global × levers 120d',
      'tenant × api × emergency on external 30d',
    ]);
    expect([formatDays(everyMs), fleet]).toEqual(['90d', null]);
  });

  it('needs to say nothing but its version', () => {
    expect(read('version: 1\n')).toMatchObject({ cells: null, fleet: null });
    const { everyMs, fleet } = read('version: 1\nevery: 30d\nfleet: { command: [node, worker.js] }\n');
    expect([formatDays(everyMs), fleet]).toEqual(['30d', ['node', 'worker.js']]);
  });

  it.each([
    ['version: 2\n', /calendar\.yaml:1:10: version: .*expected 1/],
    ['version: 1\nevery: 90\n', /calendar\.yaml:2:8: every: found .*expected a number of days from 1d to 9999d/],
    ['version: 1\nevery: 0d\n', /every: .*number of days/],
    ['version: 1\nevery: 3m\n', /every: .*number of days/],
    ['version: 1\nquarterly: true\n', /calendar\.yaml:2:1: quarterly: found the unknown key 'quarterly'/],
    ['version: 1\ncoverage: [{ scopes: [tennant], paths: [postgres] }]\n', /did you mean 'tenant'/],
    ['version: 1\ncoverage: [{ scopes: [tenant] }]\n', /paths/],
    ['version: 1\ncoverage: []\n', /calendar\.yaml:2:11: coverage/],
    ['a: [', /calendar\.yaml:1/],
    ['', /version/],
  ])('says of %j where it is wrong and how to mend it', (text, sentence) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'CALENDAR_INVALID' }) as Error);
    expect(() => read(text)).toThrow(sentence);
  });

  it('says when it is not there', () => {
    expect(() => readCalendar(join(folder, 'none.yaml'))).toThrow(/none\.yaml: the calendar of drills cannot be read/);
  });
});
