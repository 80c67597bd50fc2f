import { wholeBetween } from '../../../harness/traffic/distributions.ts';
import { makePrng } from '../../../harness/traffic/prng.ts';
import type { Prng } from '../../../harness/traffic/prng.ts';

/** The files of an incident that never was. */
export interface MadeUpIncident {
  readonly flips: string;
  readonly alerts: string;
  readonly spans: string;
}

const SPANS = 20_000;
const LASTS_MS = 120_000;
/** When it began, by the fleet's clock. */
const BEGAN_MS = Date.parse('2026-05-04T10:00:00Z');
const STOP_MS = 60_000;
const RELEASE_MS = 75_000;
const TENANTS = ['umbrella', 'acme', 'globex', 'initech', 'hooli', 'stark', 'wayne', 'tyrell'];
const TOOLS = ['chat/complete', 'chat/complete', 'crm/lookup', 'crm/update', 'mail/send', 'pay/charge'];

type Value = Readonly<Record<string, string | number>>;

/**
 * Two minutes of a fleet: tenant umbrella charges cards in a loop, an alert asks for a stop at 10:01:00, and it is released
 * 15 s later. As such records are: the alerts' clock is an hour ahead, spans come out of order, roots of traces are no
 * effects, and what the switch refused says so.
 */
export function madeUpIncident(seed = 7): MadeUpIncident {
  const prng = makePrng(seed);
  const spans: string[] = [];
  for (let nth = 0; spans.length < SPANS; nth += 1) spans.push(...spansOf(nth, prng, SPANS - spans.length));
  for (let i = 0; i + 20 < spans.length; i += 20) {
    const [one, other] = [spans[i] ?? '', spans[i + 19] ?? ''];
    spans[i] = other;
    spans[i + 19] = one;
  }
  const resource = { attributes: attributesOf({ 'service.name': 'checkout-agents' }) };
  const before = `{"resourceSpans":[{"resource":${JSON.stringify(resource)},"scopeSpans":[{"scope":{"name":"fleet"},"spans":[\n`;
  return {
    flips: [
      'id,at,action,scope,target,level,why,alert',
      `f-1,${iso(STOP_MS)},engage,tenant,umbrella,halt_all,"charges in a loop, 40/s",a-9`,
      `f-2,${iso(RELEASE_MS)},lift,tenant,umbrella,,rolled back,`,
      '',
    ].join('\n'),
    alerts: [
      { alert: 'a-8', seen: iso(3_600_000 + STOP_MS - 20_000), what: 'slow answers' },
      { alert: 'a-9', seen: iso(3_600_000 + STOP_MS - 180), what: 'write rate' },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
    spans: `${before}${spans.join(',\n')}\n]}]}]}\n`,
  };
}

/** One run: a root that is no effect, and what it called; umbrella's come thick, and are refused during the stop. */
function spansOf(nth: number, prng: Prng, atMost: number): readonly string[] {
  const atMs = Math.floor((nth * LASTS_MS * 6) / SPANS);
  const rank = Math.min(TENANTS.length - 1, Math.floor(prng.uniform() ** 2 * TENANTS.length));
  const who = { 'agent.run': `run-${nth}`, 'agent.name': `bot-${nth % 40}`, customer: TENANTS[rank] ?? '' };
  const steps = wholeBetween(prng, 3, 7);
  const isRefused = rank === 0 && atMs > STOP_MS && atMs < RELEASE_MS;
  const spans: string[] = [];
  let freeMs = atMs;
  for (let step = 0; step < (isRefused ? 1 : steps); step += 1) {
    const tookMs = isRefused ? 0 : wholeBetween(prng, 15, 200);
    const tool = rank === 0 && step > 0 ? 'pay/charge' : (TOOLS[wholeBetween(prng, 0, TOOLS.length - 1)] ?? '');
    const refused = isRefused ? { outcome: 'refused', 'refused.by': 'f-1' } : { outcome: 'ok' };
    spans.push(spanOf(`${nth}.${step}`, freeMs, freeMs + tookMs, { ...who, tool, ...refused }));
    freeMs += tookMs + wholeBetween(prng, 1, 10);
  }
  return [spanOf(`${nth}.root`, atMs, freeMs, who), ...spans].slice(0, atMost);
}

function spanOf(spanId: string, fromMs: number, toMs: number, values: Value): string {
  const time = { startTimeUnixNano: nanoseconds(fromMs), endTimeUnixNano: nanoseconds(toMs) };
  return JSON.stringify({ traceId: 't', spanId, name: 'call', ...time, attributes: attributesOf(values) });
}

function attributesOf(values: Value): readonly unknown[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: value } : { stringValue: value },
  }));
}

function nanoseconds(ms: number): string {
  return `${BEGAN_MS + ms}000000`;
}

function iso(ms: number): string {
  return new Date(BEGAN_MS + ms).toISOString();
}
