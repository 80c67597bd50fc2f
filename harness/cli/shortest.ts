import { relative } from 'node:path';

/** The folder as somebody would type it here. */
export function shortest(folder: string): string {
  const fromHere = relative(process.cwd(), folder);
  return fromHere.startsWith('..') ? folder : fromHere;
}
