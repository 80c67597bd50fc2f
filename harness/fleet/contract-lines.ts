import type { Readable } from 'node:stream';

const MAX_LINE_BYTES = 64 * 1024;

/** A line of the fleet contract: a JSON object with an `event`. */
export type SaidLine = Readonly<Record<string, unknown>> & { readonly event: string };

/**
 * Reads a fleet's stdout: one JSON object a line. What is not one (a stray print, a line beyond 64 KiB) is given to
 * `onNoise`, shortened, and otherwise ignored: a fleet may be noisy.
 */
export function readContractLines(
  stdout: Readable,
  onSaid: (line: SaidLine) => void,
  onNoise: (text: string) => void,
): void {
  let rest = '';
  stdout.setEncoding('utf8');
  stdout.on('error', () => undefined);
  stdout.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
    if (rest.length > MAX_LINE_BYTES) {
      onNoise(`a line of more than ${MAX_LINE_BYTES} bytes: ${rest.slice(0, 80)}`);
      rest = '';
    }
  });
  stdout.on('end', () => {
    if (rest !== '') take(rest);
  });
  function take(line: string): void {
    if (line.trim() === '') return;
    const said = parseSaid(line);
    if (said === null) onNoise(line.slice(0, 200));
    else onSaid(said);
  }
}

function parseSaid(line: string): SaidLine | null {
  try {
    const json: unknown = JSON.parse(line);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
    return 'event' in json && typeof json.event === 'string' ? (json as SaidLine) : null;
  } catch {
    return null;
  }
}
