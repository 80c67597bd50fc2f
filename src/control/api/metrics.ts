import { Counter, Gauge, Histogram, Registry as MetricRegistry } from 'prom-client';
import { addCanaryMetrics } from './canary-metrics.ts';
import { addDetectorMetrics } from './detector-metrics.ts';
import type { ControlApiParts } from './parts.ts';
import { switchesOf } from './switches.ts';

/** What the API counts, in a registry of its own. No label holds what a request brought. */
export class ApiMetrics {
  readonly #registry = new MetricRegistry();
  readonly #requests: Counter<'method' | 'route' | 'status'>;
  readonly #refusals: Counter<'code'>;
  readonly #stopSeconds: Histogram<'outcome'>;

  constructor(parts: ControlApiParts, watchers: () => number) {
    const registers = [this.#registry];
    this.#requests = new Counter({
      ...{ registers, name: 'killdrill_api_requests_total', help: 'Requests by route and status.' },
      labelNames: ['method', 'route', 'status'],
    });
    this.#refusals = new Counter({
      ...{ registers, name: 'killdrill_api_refusals_total', help: 'Requests that were turned away, by code.' },
      labelNames: ['code'],
    });
    this.#stopSeconds = new Histogram({
      ...{ registers, name: 'killdrill_stop_seconds', help: 'From a stop request to its answer.' },
      labelNames: ['outcome'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    });
    this.#gauge('killdrill_open_engagements', 'Open engagements as enforced here.', () => parts.registry.openCount);
    this.#gauge('killdrill_head_revision', 'Flips that were applied.', () => parts.registry.head?.revision ?? 0);
    this.#gauge('killdrill_verified', '1 while the store has answered within a lease.', () =>
      Number(switchesOf(parts).verified),
    );
    this.#gauge('killdrill_waiting_stops', 'Stops that are not durable yet.', () => parts.taker.status().waiting);
    this.#sinks(parts);
    this.#gauge('killdrill_watchers', 'Connections that follow events.', watchers);
    addCanaryMetrics(registers, parts);
    addDetectorMetrics(registers, parts);
  }

  /** Each metric's name, and what it is; nothing is counted for that. */
  described(): readonly { readonly name: string; readonly type: string; readonly help: string }[] {
    return this.#registry.getMetricsAsArray().map(({ name, type, help }) => ({ name, type: String(type), help }));
  }

  /** Its exposition, and the type of that. */
  async exposition(): Promise<{ readonly body: string; readonly type: string }> {
    return { body: await this.#registry.metrics(), type: this.#registry.contentType };
  }

  request(method: string, route: string, status: number): void {
    this.#requests.inc({ method, route, status: String(status) });
  }

  refusal(code: string): void {
    this.#refusals.inc({ code });
  }

  stop(outcome: 'durable' | 'provisional', seconds: number): void {
    this.#stopSeconds.observe({ outcome }, seconds);
  }

  /** By their names, which hold no address; one of which nobody knows how far it is has no value. */
  #sinks({ sinks }: ControlApiParts): void {
    if (sinks === undefined) return;
    const gauge: Gauge<'sink'> = new Gauge({
      ...{ name: 'killdrill_sink_behind', help: 'Flips that a sink has not taken.', labelNames: ['sink'] },
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        for (const { name, behind } of sinks()) if (behind !== null) gauge.set({ sink: name }, behind);
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.#registry], collect: () => gauge.set(read()) });
  }
}
