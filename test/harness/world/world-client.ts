import { Agent, request } from 'node:http';
import type { ClientRequest } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { startDrillClock } from '../../../harness/history/clock.ts';
import type { DrillClock } from '../../../harness/history/clock.ts';
import type { EventOf, EventType, HistoryEvent } from '../../../harness/history/event.ts';
import type { HistorySink } from '../../../harness/history/write.ts';
import { SPAWN_CAPABILITY, TRACE_VERSION } from '../../../harness/traffic/trace.ts';
import type { PlanStep, Trace, TraceRun } from '../../../harness/traffic/trace.ts';
import { startLoopWatch } from '../../../harness/world/loop-watch.ts';
import type { LoopWatch } from '../../../harness/world/loop-watch.ts';
import { startWorld } from '../../../harness/world/world.ts';
import type { World, WorldOptions } from '../../../harness/world/world.ts';

/** A history in memory. */
export class Recorded implements HistorySink {
  readonly events: HistoryEvent[] = [];
  readonly #clock: DrillClock;

  constructor(clock: DrillClock) {
    this.#clock = clock;
  }

  readonly append: HistorySink['append'] = (body, at) => {
    const now = this.#clock.nowNs();
    const { t0, t1 } = at ?? { t0: now, t1: now };
    const event = { v: 1, seq: this.events.length + 1, clock: 'mono', t0, t1, ...body } as HistoryEvent;
    this.events.push(event);
    return event;
  };

  of<T extends EventType>(type: T): readonly EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type);
  }

  /** In their order, but for the loop's lag, which is the machine's affair. */
  types(): readonly EventType[] {
    return this.events.map(({ type }) => type).filter((type) => type !== 'loop.lag');
  }
}

export interface TestWorld {
  readonly world: World;
  readonly clock: DrillClock;
  readonly history: Recorded;
  readonly agent: Agent;
  close(): Promise<void>;
}

export function step(capability: string, serviceMs = 0): PlanStep {
  return { capability, access: 'write', journal: true, serviceMs, deadlineMs: serviceMs + 1000 };
}

export function run(name: string, plan: readonly PlanStep[], dueMs = 0): TraceRun {
  return { dueMs, run: name, tenant: 'acme', feature: 'inbox', agent: 'agent-1', plan };
}

export function primed(name: string, serviceMs: number, dueMs = 0): TraceRun {
  return { ...run(name, [step('write/mail', serviceMs)], dueMs), primed: true };
}

/** A step that starts a child. */
export function spawn(child: string, more: Partial<PlanStep> = {}): PlanStep {
  return { ...step(SPAWN_CAPABILITY), kind: 'spawn', child, ...more };
}

/** A run that a step of another one starts. */
export function child(of: TraceRun, at: number, plan: readonly PlanStep[]): TraceRun {
  const { lineage = [], run: parent } = of;
  const name = of.plan[at]?.child ?? '';
  return { ...run(name, plan, of.dueMs), parent: { run: parent, step: at }, lineage: [...lineage, parent] };
}

interface Overrides extends Partial<Omit<WorldOptions, 'loop'>> {
  readonly loop?: (clock: DrillClock) => LoopWatch;
  readonly lookEveryMs?: number;
}

export function openWorld(runs: readonly TraceRun[], overrides: Overrides = {}): TestWorld {
  const { loop: makeLoop, lookEveryMs = 4, ...options } = overrides;
  const clock = startDrillClock();
  const history = new Recorded(clock);
  const loop = makeLoop?.(clock) ?? startLoopWatch({ clock, history, intervalMs: lookEveryMs });
  const trace: Trace = { header: { version: TRACE_VERSION, seed: 1, generator: {} }, runs };
  const world = startWorld({ trace, clock, history, loop, downstream: { landsAfterAbort: false }, ...options });
  const agent = new Agent({ keepAlive: true });
  const close = async (): Promise<void> => {
    agent.destroy();
    await world.close();
    loop.close();
  };
  return { world, clock, history, agent, close };
}

/** A world for one test, which ends with it. */
export function openForTest(...args: Parameters<typeof openWorld>): TestWorld {
  const opened = openWorld(...args);
  onTestFinished(() => opened.close());
  return opened;
}

/** How long something that is about to happen may take; a test looks this often. */
export const SOON = { timeout: 5_000, interval: 2 };
/** Longer than any test: what takes so long is still going on. */
export const LONG_MS = 60_000;

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Sent {
  readonly request: ClientRequest;
  /** Rejects when the connection breaks first. */
  readonly answer: Promise<Answer>;
}

export interface Post {
  readonly run: string;
  readonly key: string;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

export function get(url: string, agent?: Agent): Sent {
  return send(url, 'GET', {}, '', agent);
}

export function post(url: string, capability: string, { run: of, key, body = '{}', agent }: Post): Sent {
  return send(`${url}/effects/${capability}`, 'POST', { 'x-run': of, 'idempotency-key': key }, body, agent);
}

/** Asks for a child of a run. */
export function postRun(url: string, { run: of, key, body = '{}', agent }: Post): Sent {
  return send(`${url}/runs`, 'POST', { 'x-run': of, 'idempotency-key': key }, body, agent);
}

export function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
  agent?: Agent,
): Sent {
  const sent = request(url, { method, headers, agent: agent ?? false });
  const answer = new Promise<Answer>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, body: bodyOf(text, response.headers['content-type']) });
      });
    });
  });
  // A test that aborts a call on purpose does not look at its answer.
  answer.catch(() => {});
  sent.end(body);
  return { request: sent, answer };
}

/** JSON; the lines of an answer in pieces. */
function bodyOf(text: string, type: string | undefined): unknown {
  if (text === '') return null;
  if (type !== 'application/x-ndjson') return JSON.parse(text);
  return text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

/** A connection for bytes that no HTTP client would send. */
export async function rawConnection(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}
