import { describe, expect, it } from 'vitest';
import { formatProgress, progressLine } from '../../../harness/report/progress.ts';

const now = { phase: 'hold', elapsedMs: 12_345, effectsPerSecond: 198.4, inFlight: 12, halted: ['tenant:acme'] };

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 40, write: (text: string) => written.push(text) } };
}

describe('the progress line', () => {
  it('says phase, time, traffic, what is in flight and what is halted', () => {
    const text = 'hold     · 12.3 s · 198 effects/s · 12 in flight · halted tenant:acme';
    expect(formatProgress(now, 80)).toBe(text);
    expect(formatProgress({ ...now, halted: [] }, 80)).toContain('nothing halted');
  });

  it('is cut to the width, and shows no control character of a target', () => {
    expect(formatProgress(now, 30)).toHaveLength(30);
    expect(formatProgress({ ...now, halted: ['tenant:\u001b[31m\n'] }, 80)).toContain('tenant:?[31m?');
  });

  it('is written over itself on a terminal, and taken away once', () => {
    const { written, stream } = terminal(true);
    const line = progressLine(stream);
    line.show(now);
    line.clear();
    line.clear();
    expect(written).toEqual([expect.stringMatching(/^\r\u001b\[2Khold/), '\r\u001b[2K']);
    expect(written[0]?.length).toBeLessThanOrEqual(39 + '\r\u001b[2K'.length);
  });

  it('writes nothing where there is no terminal', () => {
    const { written, stream } = terminal(false);
    const line = progressLine(stream);
    line.show(now);
    line.clear();
    expect(written).toEqual([]);
  });
});
