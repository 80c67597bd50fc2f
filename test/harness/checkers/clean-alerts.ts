import { canonicalText } from '../../../src/flip-text.ts';
import type { Flip } from '../../../src/switch.ts';
import type { AlertFacts, EventOf } from '../../../harness/history/event.ts';
import type { AlertsEntry } from '../../../harness/scenario/scenario.ts';
import { AT, STOP_ID, cleanDrill, releaseFlip, stopFlip, storeRows } from './clean-drill.ts';
import type { CleanOptions } from './clean-drill.ts';
import { changed, plus, withScenario, without } from './history-builder.ts';
import type { DraftDrill, Timed } from './history-builder.ts';

const ACME = { scope: 'tenant', target: 'acme' } as const;
export const DETECTOR = 'drill';
const TOPIC = 'drill.alerts';
/** When the other alerts are published: with everything released again. */
export const STORM = AT.released + 300;

const asked = (facts: Pick<AlertFacts, 'alert' | 'kind'> & Partial<AlertFacts>): AlertFacts => ({
  ...{ flip: null, detector: DETECTOR, id: `id-${facts.alert}`, ...ACME, mode: 'halt_all' },
  ...{ flipId: `alert-${facts.alert}`, content: `content-${facts.alert}` },
  ...facts,
});

const onAgent = (alert: number): AlertFacts =>
  asked({ alert, kind: 'sound', scope: 'agent', target: `nobody-${alert}` });

const poison = (alert: number): AlertFacts =>
  asked({
    alert,
    kind: 'poison',
    ...{ detector: null, id: null, scope: null, target: null, mode: null, flipId: null },
  });

/** The stop of the timeline, three sound ones, a copy of the first of these, a stale one and two of poison. */
export const ALERTS: readonly AlertFacts[] = [
  asked({ alert: 1, kind: 'sound', flip: 1, flipId: STOP_ID }),
  ...[onAgent(2), onAgent(3), onAgent(4), { ...onAgent(2), alert: 5, kind: 'again' as const }],
  asked({ alert: 6, kind: 'stale' }),
  ...[poison(7), poison(8)],
];

export type AlertRecord = Pick<
  EventOf<'store.alert'>,
  'kind' | 'detector' | 'alertId' | 'content' | 'flipId' | 'code' | 'why'
>;

/** How the store records an alert. */
export function recorded(kind: AlertRecord['kind'], nth: number): AlertRecord {
  const facts = ALERTS[nth - 1];
  if (facts === undefined) throw new Error(`there is no alert ${nth}`);
  const { detector, id: alertId, content, flipId } = facts;
  if (kind === 'poison' || kind === 'expired')
    return { kind, detector: null, alertId: null, content: null, flipId: null, code: 'unreadable', why: 'junk' };
  const why = kind === 'stale' ? 'closed at revision 2' : null;
  return { kind, detector, alertId, content, flipId, code: null, why };
}

export const RECORDS: readonly AlertRecord[] = [
  ...[recorded('flip', 1), recorded('flip', 2), recorded('flip', 3), recorded('flip', 4), recorded('duplicate', 5)],
  ...[recorded('stale', 6), recorded('poison', 7), recorded('poison', 8)],
];

/** The stop that an alert becomes in the store. */
export function flipOf(nth: number, more: Partial<Flip> = {}): Flip {
  const { scope, target, flipId, detector } = ALERTS[nth - 1] ?? ALERTS[0] ?? asked({ alert: 0, kind: 'sound' });
  const flip = { ...stopFlip(ACME), id: flipId, scope, target, triggeredBy: detector, source: 'alert', ...more };
  return flip as Flip;
}

export const FLIPS: readonly Flip[] = [stopFlip(ACME), releaseFlip(ACME), flipOf(2), flipOf(3), flipOf(4)];

export interface StoreParts {
  readonly records?: readonly AlertRecord[];
  /** Where the partition stands; null for one that was never placed. */
  readonly position?: number | null;
  readonly flips?: readonly Flip[];
  readonly letters?: readonly string[];
}

/** What the store and the bus have at the end. */
function kept({
  records = RECORDS,
  position,
  flips = FLIPS,
  letters = ['content-7', 'content-8'],
}: StoreParts): readonly Timed[] {
  const stands = position === undefined ? records.length : position;
  const place = { topic: TOPIC, partition: 0 };
  return [
    ...storeRows(flips.map(canonicalText)),
    ...records.map((record, nth): Timed => ({
      atMs: STORM + nth,
      body: { type: 'store.alert', ...place, position: nth, ...record },
    })),
    ...(stands === null
      ? []
      : [{ atMs: 0, body: { type: 'store.alertPosition', ...place, position: stands } } as const]),
    ...letters.map((content): Timed => ({
      atMs: AT.end - 5,
      body: { type: 'bus.deadLetter', content, code: 'unreadable', why: 'junk' },
    })),
  ];
}

/** When an alert of the drill was published. */
export function publishedAt(nth: number): number {
  return nth === 1 ? AT.stop + 0.2 : STORM + 10 * nth;
}

function told(facts: AlertFacts): readonly Timed[] {
  const atMs = publishedAt(facts.alert);
  const acknowledged: Timed = {
    atMs,
    t1Ms: atMs + 2,
    body: { type: 'alert.acknowledged', ...facts, ok: true, error: null },
  };
  return [{ atMs, body: { type: 'alert.published', ...facts } }, acknowledged, ...words(facts, atMs)];
}

function words({ kind, flipId, alert }: AlertFacts, atMs: number): readonly Timed[] {
  if (flipId === null) return [];
  const answer = { sound: 'flip', again: 'duplicate', stale: 'stale', poison: 'poison' }[kind];
  const say = (said: Readonly<Record<string, unknown>>, atMs: number): Timed => ({
    atMs,
    body: { type: 'executor.said', executor: 'executor-1', said: { flipId, ...said } },
  });
  const first = alert === 1 ? [say({ event: 'alert.held' }, atMs + 3.5)] : [];
  return [say({ event: 'alert.read' }, atMs + 3), ...first, say({ event: 'alert.answered', kind: answer }, atMs + 4)];
}

/** An executor comes up. */
export function executorUp(executor: string, atMs: number): readonly Timed[] {
  return [
    { atMs: atMs - 40, body: { type: 'executor.spawned', executor, pid: 900 } },
    { atMs, body: { type: 'executor.ready', executor } },
  ];
}

const ENTRY: AlertsEntry = {
  ...{ kind: 'alerts', when: { kind: 'previous', offsetMs: 300 }, count: 3, targets: 3, poison: 2 },
  ...{ again: 1, stale: 1, overMs: 0 },
};

export function alertsIn(draft: DraftDrill, executors = 1): DraftDrill {
  return withScenario(draft, (scenario) => ({ ...scenario, fleet: { ...scenario.fleet, executors } }));
}

/** The clean drill, with its stop asked for by an alert, and more alerts after its release. */
export function alertDrill(parts: StoreParts & CleanOptions = {}): DraftDrill {
  const clean = cleanDrill(parts);
  const asking = withScenario(clean, (scenario) => ({
    ...scenario,
    timeline: [
      ...scenario.timeline.map((entry) => (entry.kind === 'flip' ? { ...entry, via: 'alert' as const } : entry)),
      ENTRY,
    ],
  }));
  const bare = without(asking, ({ body }) => body.type === 'store.flip' || body.type === 'store.head');
  return plus(alertsIn(bare), ...executorUp('executor-1', 60), ...ALERTS.flatMap(told), ...kept(parts));
}

/** The drill in which the bus does not acknowledge an alert. */
export function unacknowledged(draft: DraftDrill, nth: number): DraftDrill {
  return changed(draft, (timed) =>
    timed.body.type === 'alert.acknowledged' && timed.body.alert === nth
      ? { ...timed, body: { ...timed.body, ok: false, error: 'the broker is away' } }
      : timed,
  );
}
