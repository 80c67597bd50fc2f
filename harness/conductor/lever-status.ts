import { STOP_MODES } from '../../src/switch.ts';

const MODES: readonly string[] = ['disengaged', ...STOP_MODES];
const SHOWN = 200;

/** The mode that a switch names: alone, as the first word of a line, or as `mode` of a JSON object. */
export function modeSaid(text: string): { readonly said: string | null; readonly error: string | null } {
  const word = jsonMode(text) ?? /^\s*(\S+)/.exec(text)?.[1] ?? '';
  if (MODES.includes(word)) return { said: word, error: null };
  const found = text.trim() === '' ? 'nothing' : `'${text.trim().slice(0, SHOWN)}'`;
  return { said: null, error: `it said ${found}; expected one of ${MODES.join(', ')}, or JSON with it as its mode` };
}

function jsonMode(text: string): string | null {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'string') return json;
    if (typeof json !== 'object' || json === null || !('mode' in json)) return null;
    return typeof json.mode === 'string' ? json.mode : null;
  } catch {
    return null;
  }
}
