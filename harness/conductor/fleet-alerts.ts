import { createHash } from 'node:crypto';
import { judgeAlert } from '../../src/alerts/judge-alert.ts';
import type { AlertPolicy } from '../../src/alerts/judge-alert.ts';
import type { Switch } from '../../src/switch.ts';
import type { DrillClock } from '../history/clock.ts';
import type { AlertFacts } from '../history/event.ts';
import type { HistorySink } from '../history/write.ts';

/** A line that a worker says on stdout. */
type Said = Readonly<Record<string, unknown>> & { readonly event: string };

export interface FleetAlertsParts {
  /** As the executors have it. */
  readonly policy: AlertPolicy;
  readonly clock: DrillClock;
  readonly history: HistorySink;
  readonly wallMs: () => number;
  /** Counts all alerts of the drill. */
  readonly nextAlert: () => number;
  /** Told of each that the bus has acknowledged, by the worker's word. */
  readonly acknowledged: (facts: AlertFacts) => void;
}

interface Heard {
  readonly facts: AlertFacts;
  readonly heardNs: number;
}

/**
 * Alerts of the fleet's own detectors. A worker says each before it publishes it, to the letter, so that none gets onto the
 * bus that the drill does not know of; what the bus then acknowledged to it is the truth that the store is held against.
 */
export class FleetAlerts {
  readonly #parts: FleetAlertsParts;
  readonly #heard = new Map<string, Heard>();
  readonly #looseNs = new Map<string, number>();

  constructor(parts: FleetAlertsParts) {
    this.#parts = parts;
  }

  /** A runaway of this target was let loose then: no alert that the fleet raises about it was raised before. */
  loosed(on: Switch, atNs: number): void {
    this.#looseNs.set(nameOf(on), atNs);
  }

  /** When the alert was heard of that asks for this stop; null while it was not. */
  heardNs(flipId: string): number | null {
    const heard = [...this.#heard.values()].find(({ facts }) => facts.flipId === flipId);
    return heard?.heardNs ?? null;
  }

  /** Takes any line of a worker's, and puts on record what it says of an alert. */
  heard(line: Said): void {
    if (line.event === 'alert.raised') this.#raised(line);
    if (line.event === 'alert.acknowledged') this.#answered(line);
  }

  #raised({ text, signature }: Said): void {
    const { policy, clock, history, wallMs, nextAlert } = this.#parts;
    if (typeof text !== 'string') return;
    const heardNs = clock.nowNs();
    const bytes = Buffer.from(text);
    const content = createHash('sha256').update(bytes).digest('hex');
    const nowMs = wallMs();
    const place = { topic: '', partition: 0, position: 0, publishedAtMs: nowMs };
    const message = { ...place, bytes, signature: typeof signature === 'string' ? signature : null };
    const facts: AlertFacts = { alert: nextAlert(), flip: null, content, ...askedBy(message, policy, nowMs) };
    this.#heard.set(content, { facts, heardNs });
    const on = `${facts.scope ?? ''}:${facts.target ?? ''}`;
    // What is heard of was said before, and nobody asks for a stop before there is a reason.
    const t0 = this.#looseNs.get(on) ?? heardNs;
    history.append({ type: 'alert.published', ...facts }, { t0, t1: heardNs });
  }

  #answered({ content, ok, error }: Said): void {
    const { clock, history, acknowledged } = this.#parts;
    const heard = typeof content === 'string' ? this.#heard.get(content) : undefined;
    if (heard === undefined) return;
    const answer = { ok: ok === true, error: typeof error === 'string' ? error : null };
    const t1 = clock.nowNs();
    history.append({ type: 'alert.acknowledged', ...heard.facts, ...answer }, { t0: heard.heardNs, t1 });
    if (answer.ok) acknowledged(heard.facts);
  }
}

/** What an executor makes of it: a stop, or poison. */
function askedBy(
  message: Parameters<typeof judgeAlert>[0],
  policy: AlertPolicy,
  nowMs: number,
): Omit<AlertFacts, 'alert' | 'flip' | 'content'> {
  const judged = judgeAlert(message, policy, nowMs);
  if (judged.kind !== 'trip') {
    return {
      ...{ kind: 'poison', detector: null, id: null, scope: null, target: null, mode: null, flipId: null },
    };
  }
  const { detector, alertId: id, flipId, text } = judged.trip;
  const { scope, target, mode } = JSON.parse(text) as {
    readonly scope: string;
    readonly target: string;
    readonly mode: string;
  };
  return { kind: 'sound', detector, id, scope, target, mode, flipId };
}

function nameOf({ scope, target }: Switch): string {
  return `${scope}:${target}`;
}
