import { describe, expect, it } from 'vitest';
import { formatProgress, openProgress, Rate } from '../../../harness/report/progress.ts';

const now = { phase: 'hold', elapsedMs: 12_345, effects: 2_400, inFlight: 12, halted: ['tenant:acme'] };

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 40, write: (text: string) => written.push(text) } };
}

describe('the progress line', () => {
  it('says phase, time, traffic, what is in flight and what is halted', () => {
    const line = 'hold     · 12.3 s · 198 effects/s · 12 in flight · halted tenant:acme';
    expect(formatProgress(now, 198.4, 80)).toBe(line);
    expect(formatProgress({ ...now, halted: [] }, 0, 80)).toContain('nothing halted');
  });

  it('is cut to the width, and shows no control character of a target', () => {
    expect(formatProgress(now, 198, 30)).toHaveLength(30);
    expect(formatProgress({ ...now, halted: ['tenant:\u001b[31m\n'] }, 0, 80)).toContain('tenant:?[31m?');
  });

  it('is written over itself on a terminal, and taken away once', () => {
    const { written, stream } = terminal(true);
    const progress = openProgress({ stream, quiet: false });
    progress.show(now);
    progress.end();
    progress.end();
    expect(written).toEqual([expect.stringMatching(/^\r\u001b\[2Khold/), '\r\u001b[2K']);
    expect(written[0]?.length).toBeLessThanOrEqual(39 + '\r\u001b[2K'.length);
  });

  it.each([
    ['where there is no terminal', false, false],
    ['when it is to be quiet', true, true],
  ])('writes nothing %s', (_, isTTY, quiet) => {
    const { written, stream } = terminal(isTTY);
    const progress = openProgress({ stream, quiet });
    progress.show(now);
    progress.end();
    expect(written).toEqual([]);
  });
});

describe('Rate', () => {
  it('counts over the last second, and begins anew with a new drill', () => {
    const rate = new Rate();
    const at = (elapsedMs: number, effects: number): number => rate.next({ ...now, elapsedMs, effects });
    expect([at(0, 0), at(500, 100), at(1_500, 200), at(1_600, 210)]).toEqual([0, 200, 100, 100]);
    expect([at(0, 0), at(100, 5)]).toEqual([0, 50]);
  });
});
