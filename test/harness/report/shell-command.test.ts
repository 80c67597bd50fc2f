import { describe, expect, it } from 'vitest';
import { continued, shellWord } from '../../../harness/report/shell-command.ts';
import { wordsOf } from './shell-words.ts';

const ODD = [
  'plain',
  'with a blank',
  "it's",
  'it\'s  both, and "more"',
  '',
  '$HOME/`x`',
  'back\\slash \\',
  '~',
  "'",
  "' '",
];

describe('a command that is shown', () => {
  it.each(ODD)('is taken by a shell as it is meant: %j', (word) => {
    const command = `killdrill check ${shellWord(word)} --environment embedded`;
    for (const width of [10, 30, 80])
      expect(wordsOf(continued(command, width).join('\n'))).toEqual([
        ...['killdrill', 'check', word, '--environment', 'embedded'],
      ]);
  });

  it('quotes nothing that needs none', () => {
    expect(shellWord('reports/2026-11-21T07-15-19-tenant-halt')).toBe('reports/2026-11-21T07-15-19-tenant-halt');
  });
});
