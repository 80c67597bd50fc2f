import { expect, test } from 'vitest';
import { markdownTable } from '../../../harness/report/markdown.ts';

test('keeps a table whole around bars and line breaks', () => {
  expect(markdownTable(['a'], [['x | y\n  z']])).toBe('| a |\n| --- |\n| x \\| y z |');
});
