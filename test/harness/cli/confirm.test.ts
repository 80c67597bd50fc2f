import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { confirm } from '../../../harness/cli/confirm.ts';

/** Two streams that pass for a terminal, or not. */
function terminal({ input = true, output = true, answerMs = 20_000 } = {}) {
  const keys = Object.assign(new PassThrough(), { isTTY: input });
  const screen = Object.assign(new PassThrough(), { isTTY: output });
  let shown = '';
  screen.setEncoding('utf8').on('data', (text: string) => (shown += text));
  const streams = { input: keys as unknown as NodeJS.ReadStream, output: screen as unknown as NodeJS.WriteStream };
  // What readline itself says to a terminal: where the cursor goes, and to clear what is behind it.
  const ownControls = new RegExp(String.raw`\u001b\[\d+[GJ]`, 'g');
  return { keys, shown: () => shown.replaceAll(ownControls, ''), streams: { ...streams, answerMs } };
}

const NEVER = new AbortController().signal;

describe('a confirmation', () => {
  test('goes on when the word is typed', async () => {
    const { keys, streams, shown } = terminal();
    const asked = confirm('This stops EVERYTHING.', 'global', NEVER, streams);
    keys.write(' global \n');
    await asked;
    expect(shown()).toMatch(/^This stops EVERYTHING\.\nType 'global' to go on: /);
  });

  test.each([
    ['another word', 'yes\n', /'yes' was typed, expected 'global'/],
    ['nothing', '\n', /'' was typed/],
    ['what a terminal would obey', '\u001b[31m\n', /was typed, expected 'global'/],
  ])('does nothing for %s', async (_what, typed, saying) => {
    const { keys, streams } = terminal();
    const asked = confirm('?', 'global', NEVER, streams);
    keys.write(typed);
    await expect(asked).rejects.toThrow(saying);
    await expect(asked).rejects.toMatchObject({ code: 'NOT_CONFIRMED' });
  });

  test('does nothing when the terminal goes away, or nobody answers in time', async () => {
    const gone = terminal();
    const asked = confirm('?', 'global', NEVER, gone.streams);
    gone.keys.end();
    await expect(asked).rejects.toThrow(/nothing was typed/);
    await expect(confirm('?', 'global', NEVER, terminal({ answerMs: 20 }).streams)).rejects.toThrow(
      /nothing was typed/,
    );
  });

  test('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const asked = confirm('?', 'global', controller.signal, terminal().streams);
    controller.abort(new Error('Ctrl-C'));
    await expect(asked).rejects.toThrow('Ctrl-C');
  });

  test('asks nobody in a script', async () => {
    for (const one of [{ input: false }, { output: false }]) {
      const { streams, shown } = terminal(one);
      await confirm('?', 'global', NEVER, streams);
      expect(shown()).toBe('');
    }
  });

  test('shows nothing that a terminal would obey', async () => {
    const { keys, streams, shown } = terminal();
    const asked = confirm('This stops tenant:\u001b]0;x.', 'a\u001b', NEVER, streams);
    keys.write('b\n');
    await asked.catch(() => undefined);
    expect(shown().split('to go on')[0]).not.toContain('\u001b');
  });
});
