import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { CANARY_OUTCOMES } from '../periodic-canary.ts';
import type { CanaryStatus } from '../periodic-canary.ts';
import type { ControlApiParts } from './parts.ts';

/** When the fleet was last proven able to halt; and, where this process flies canaries, what became of them. */
export function addCanaryMetrics(registers: Registry[], { fleet, canary, clock }: ControlApiParts): void {
  if (fleet !== undefined) {
    const proven: Gauge = new Gauge({
      ...{ registers, name: 'killdrill_last_proven_timestamp_seconds' },
      help: 'When every worker that reports had last refused a canary; 0 when they have not, or nobody knows.',
      collect: async () => {
        const agoMs = await fleet.lastProvenMs();
        proven.set(agoMs === null ? 0 : (clock.wallMs() - agoMs) / 1_000);
      },
    });
  }
  if (canary !== undefined) addRounds(registers, canary);
}

function addRounds(registers: Registry[], status: () => CanaryStatus): void {
  const rounds: Counter<'outcome'> = new Counter({
    ...{ registers, name: 'killdrill_canary_rounds_total', help: 'Canary rounds of this process, by how they ended.' },
    labelNames: ['outcome'],
    collect: () => {
      const { rounds: counts } = status();
      rounds.reset();
      for (const outcome of CANARY_OUTCOMES) rounds.inc({ outcome }, counts[outcome]);
    },
  });
  const ofLast = (name: string, help: string, read: (last: NonNullable<CanaryStatus['last']>) => number): void => {
    const gauge: Gauge = new Gauge({
      ...{ registers, name, help },
      collect: () => {
        const { last } = status();
        gauge.set(last === null ? 0 : read(last));
      },
    });
  };
  ofLast('killdrill_canary_seconds', "From the last canary's stop to its release.", ({ tookMs }) => tookMs / 1_000);
  ofLast('killdrill_canary_silent_workers', 'Workers that report, and did not refuse the last canary.', (last) =>
    last.outcome === 'silent' ? last.silent.length : 0,
  );
  ofLast(
    'killdrill_canary_gone_workers',
    'Workers on the list that nobody has heard of for several leases.',
    (last) => last.gone.length,
  );
}
