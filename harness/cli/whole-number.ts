import { usage } from './usage.ts';

/**
 * The whole number that a flag was given, in plain digits.
 *
 * @throws KilldrillError `USAGE`
 */
export function wholeNumber(
  flag: string,
  text: string,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usage(`${flag} is '${text}'; expected a whole number from ${min} to ${max}`);
}
