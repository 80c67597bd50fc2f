import { columnsOf, printable } from './wrap.ts';

/** What a drill is doing right now. */
export interface ProgressStatus {
  readonly phase: string;
  /** Since T0, milliseconds; 0 before. */
  readonly elapsedMs: number;
  readonly effectsPerSecond: number;
  readonly inFlight: number;
  /** Switches that are stopped, as `scope:target`. */
  readonly halted: readonly string[];
}

/** One line of at most `width` columns. */
export function formatProgress(status: ProgressStatus, width: number): string {
  const { phase, elapsedMs, effectsPerSecond, inFlight, halted } = status;
  const parts = [
    phase.padEnd(8),
    `${(elapsedMs / 1000).toFixed(1)} s`,
    `${Math.round(effectsPerSecond)} effects/s`,
    `${inFlight} in flight`,
    halted.length === 0 ? 'nothing halted' : `halted ${halted.join(', ')}`,
  ];
  return cut(printable(parts.join(' · ')), width);
}

function cut(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (columnsOf(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Where a progress line goes: a terminal, or something that is none. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressLine {
  show(status: ProgressStatus): void;
  /** Takes the line away; to be called before anything else is printed. Safe to call twice. */
  clear(): void;
}

const CLEAR_LINE = '\r\u001b[2K';

/** A line that is written over itself on a terminal; nothing at all is written anywhere else. */
export function progressLine(stream: ProgressStream): ProgressLine {
  if (stream.isTTY !== true) return { show: () => undefined, clear: () => undefined };
  let isShown = false;
  return {
    show: (status) => {
      // One column short: a full line would wrap on some terminals.
      stream.write(`${CLEAR_LINE}${formatProgress(status, (stream.columns ?? 80) - 1)}`);
      isShown = true;
    },
    clear: () => {
      if (isShown) stream.write(CLEAR_LINE);
      isShown = false;
    },
  };
}
