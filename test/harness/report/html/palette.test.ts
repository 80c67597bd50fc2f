import { describe, expect, it } from 'vitest';
import { PALETTE } from '../../../../harness/report/html/palette.ts';

type Name = keyof typeof PALETTE;
const THEMES = ['light', 'dark'] as const;
const WORDS: readonly Name[] = ['ink', 'muted', 'link', 'pass', 'fail', 'doubt', 'none'];
const MARKS: readonly Name[] = ['inside', 'outside', 'late', 'budget', 'ink'];
const BANDS: readonly Name[] = ['stopBand', 'faultBand'];

/** WCAG 2.2: relative luminance and contrast ratio. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe('the palette', () => {
  it('knows black on white', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
    expect(contrast('#777777', '#ffffff')).toBeLessThan(4.5);
  });

  it.each(THEMES)('keeps words readable on page and cards (%s)', (theme) => {
    for (const word of WORDS)
      for (const ground of ['page', 'surface'] as const)
        expect(contrast(PALETTE[word][theme], PALETTE[ground][theme]), `${word} on ${ground}`).toBeGreaterThanOrEqual(
          4.5,
        );
    // Numbers in markers.
    for (const marker of ['ink', 'muted', 'doubt'] as const)
      expect(contrast(PALETTE.surface[theme], PALETTE[marker][theme]), marker).toBeGreaterThanOrEqual(4.5);
  });

  it.each(THEMES)('keeps marks apart from what they stand on, bands as well (%s)', (theme) => {
    for (const mark of MARKS)
      for (const ground of ['surface', ...BANDS] as const)
        expect(contrast(PALETTE[mark][theme], PALETTE[ground][theme]), `${mark} on ${ground}`).toBeGreaterThanOrEqual(
          3,
        );
  });
});
