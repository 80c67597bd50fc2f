import { columnsOf, printable } from './wrap.ts';

/** What a drill is doing right now. */
export interface ProgressNow {
  readonly phase: string;
  /** Since T0, milliseconds; 0 before. */
  readonly elapsedMs: number;
  /** How many have arrived since T0. */
  readonly effects: number;
  readonly inFlight: number;
  /** Switches that are stopped, as `scope:target`. */
  readonly halted: readonly string[];
}

/** One line of at most `width` columns. */
export function formatProgress(now: ProgressNow, effectsPerSecond: number, width: number): string {
  const { phase, elapsedMs, inFlight, halted } = now;
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

/** Over how long the rate in the line is taken, milliseconds. */
const RATE_MS = 1000;

/** Effects per second over the last second, from what was shown before. */
export class Rate {
  #samples: readonly ProgressNow[] = [];

  next(now: ProgressNow): number {
    const recent = this.#samples.filter(
      ({ elapsedMs }) => elapsedMs >= now.elapsedMs - RATE_MS && elapsedMs <= now.elapsedMs,
    );
    this.#samples = [...recent, now];
    const [first] = recent;
    if (first === undefined || now.elapsedMs === first.elapsedMs) return 0;
    return ((now.effects - first.effects) * 1000) / (now.elapsedMs - first.elapsedMs);
  }
}

/** Where a progress line goes: a terminal, or something that is none. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  show(now: ProgressNow): void;
  /** Takes the line away; to be called before anything else is printed. Safe to call twice. */
  end(): void;
}

const CLEAR_LINE = '\r\u001b[2K';

/** A line that is written over itself on a terminal; nothing at all is written anywhere else, or when `quiet`. */
export function openProgress({
  stream,
  quiet,
}: {
  readonly stream: ProgressStream;
  readonly quiet: boolean;
}): Progress {
  if (quiet || stream.isTTY !== true) return { show: () => undefined, end: () => undefined };
  const rate = new Rate();
  let isShown = false;
  return {
    show: (now) => {
      // One column short: a full line would wrap on some terminals.
      stream.write(`${CLEAR_LINE}${formatProgress(now, rate.next(now), (stream.columns ?? 80) - 1)}`);
      isShown = true;
    },
    end: () => {
      if (isShown) stream.write(CLEAR_LINE);
      isShown = false;
    },
  };
}
