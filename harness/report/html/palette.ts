interface Shades {
  readonly light: string;
  readonly dark: string;
}

/**
 * Every colour of the report, in both themes. Words keep 4.5:1 against what they stand on, marks 3:1 (WCAG 2.2 AA); a test
 * computes it. No meaning is in a colour alone: each has a word, a shape or a place as well.
 */
export const PALETTE = {
  page: { light: '#f5f6f8', dark: '#101317' },
  surface: { light: '#ffffff', dark: '#191d23' },
  ink: { light: '#171a1f', dark: '#e9ecf0' },
  muted: { light: '#565e6a', dark: '#a7afbb' },
  rule: { light: '#dde1e6', dark: '#2f363f' },
  link: { light: '#1f56b5', dark: '#8db8ff' },
  pass: { light: '#17703f', dark: '#5fd08f' },
  fail: { light: '#b8202b', dark: '#ff8a86' },
  doubt: { light: '#855400', dark: '#ecbc62' },
  none: { light: '#565e6a', dark: '#a7afbb' },
  /** Arrivals that a stop is about. */
  inside: { light: '#1f56b5', dark: '#8db8ff' },
  /** Arrivals that it is not about. */
  outside: { light: '#7b8592', dark: '#7d8895' },
  /** Arrivals that should not have been. */
  late: { light: '#d0202d', dark: '#ff6b66' },
  /** While a stop is in force, and while a fault is: behind the marks. */
  stopBand: { light: '#e4ecfa', dark: '#222e45' },
  faultBand: { light: '#f7e6cd', dark: '#43341a' },
  budget: { light: '#855400', dark: '#ecbc62' },
} as const satisfies Readonly<Record<string, Shades>>;

/** The palette as custom properties of a theme. */
export function paletteCss(theme: keyof Shades): string {
  return Object.entries(PALETTE)
    .map(([name, shades]) => `--${name}:${shades[theme]};`)
    .join('');
}
