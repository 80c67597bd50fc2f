import type { Readable } from 'node:stream';

const MAX_LINE_BYTES = 64 * 1024;
/** More than this of one life is let pass unread: a fleet that floods its stdout must not keep the witness busy. */
const MAX_CHARS = 64 * 1024 * 1024;

/** A line of the fleet contract: a JSON object with an `event`. */
export type SaidLine = Readonly<Record<string, unknown>> & { readonly event: string };

/**
 * Reads a fleet's stdout: one JSON object a line. What is not one (a stray print, a line beyond 64 KiB) is given to
 * `onNoise`, shortened, and otherwise ignored: a fleet may be noisy. Of a line without an end no more than its beginning is
 * ever held.
 *
 * @param onSaid is given each line and how long it was
 */
export function readContractLines(
  stdout: Readable,
  onSaid: (line: SaidLine, chars: number) => void,
  onNoise: (text: string) => void,
): void {
  let rest = '';
  let isTooLong = false;
  let chars = 0;
  stdout.setEncoding('utf8');
  stdout.on('error', () => undefined);
  stdout.on('data', (chunk: string) => {
    const isOver = chars > MAX_CHARS;
    chars += chunk.length;
    if (isOver) return;
    if (chars > MAX_CHARS) {
      rest = '';
      return onNoise(`more than ${MAX_CHARS / 1024 / 1024} MiB; the rest is not read`);
    }
    const lines = chunk.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      if (!isTooLong) take(rest + line);
      isTooLong = false;
      rest = '';
    }
    if (isTooLong) return;
    rest += last;
    if (rest.length <= MAX_LINE_BYTES) return;
    onNoise(`a line of more than ${MAX_LINE_BYTES} bytes: ${rest.slice(0, 80)}`);
    isTooLong = true;
    rest = '';
  });
  stdout.on('end', () => {
    if (rest !== '') take(rest);
  });
  function take(line: string): void {
    if (line.trim() === '') return;
    const said = line.length > MAX_LINE_BYTES ? null : parseSaid(line);
    if (said === null) onNoise(line.slice(0, 200));
    else onSaid(said, line.length);
  }
}

function parseSaid(line: string): SaidLine | null {
  // What throws is slow, and junk may come by the million.
  if (!/^\s*\{/.test(line)) return null;
  try {
    const json: unknown = JSON.parse(line);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
    return 'event' in json && typeof json.event === 'string' ? (json as SaidLine) : null;
  } catch {
    return null;
  }
}
