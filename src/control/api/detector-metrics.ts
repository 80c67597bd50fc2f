import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { JournalWatchStatus } from '../../detect/journal-watch.ts';
import type { RuleCounts } from '../../detect/rule-watch.ts';
import type { ControlApiParts } from './parts.ts';

/** Where this process has detectors: whether they see, and what they have raised. Rules go by their names in the configuration. */
export function addDetectorMetrics(registers: Registry[], { detectors, clock }: ControlApiParts): void {
  if (detectors === undefined) return;
  addByRule(registers, detectors);
  const counter = (name: string, help: string, read: (status: JournalWatchStatus) => number): void => {
    const total: Counter = new Counter({
      ...{ registers, name, help },
      collect: () => {
        total.reset();
        total.inc(read(detectors()));
      },
    });
  };
  const gauge = (name: string, help: string, read: (status: JournalWatchStatus) => number): void => {
    const value: Gauge = new Gauge({ registers, name, help, collect: () => value.set(read(detectors())) });
  };
  counter('killdrill_detectors_rows_total', 'Intents of the journal that detectors have read.', ({ rows }) => rows);
  counter('killdrill_detectors_late_rows_total', 'Of those, the ones that came too late to count.', ({ late }) => late);
  counter(
    'killdrill_detectors_errors_total',
    'Looks that the store did not answer, and rows that no rule could take.',
    ({ errors }) => errors,
  );
  gauge('killdrill_detectors_reading', '1 while the store answers the looks of detectors.', (status) =>
    Number(status.isReading),
  );
  gauge(
    'killdrill_detectors_behind_seconds',
    "How far detectors are behind the journal's end.",
    ({ behindMs }) => behindMs / 1_000,
  );
  gauge(
    'killdrill_detectors_last_look_timestamp_seconds',
    'When the store last answered a look of detectors; 0 before it ever did.',
    ({ lookedAgoMs }) => (lookedAgoMs === null ? 0 : (clock.wallMs() - lookedAgoMs) / 1_000),
  );
}

function addByRule(registers: Registry[], status: () => JournalWatchStatus): void {
  const alerts: Counter<'rule' | 'outcome'> = new Counter({
    ...{ registers, name: 'killdrill_detector_alerts_total', labelNames: ['rule', 'outcome'] },
    help: 'Alerts of a detector: delivered to the bus, or undelivered; what holds is raised again.',
    collect: () => {
      alerts.reset();
      for (const { rule, delivered, undelivered } of status().rules) {
        alerts.inc({ rule, outcome: 'delivered' }, delivered);
        alerts.inc({ rule, outcome: 'undelivered' }, undelivered);
      }
    },
  });
  const forgotten: Counter<'rule'> = new Counter({
    ...{ registers, name: 'killdrill_detector_forgotten_total', labelNames: ['rule'] },
    help: 'Series that a detector dropped while they still counted: raise maxSeries if it grows.',
    collect: () => {
      forgotten.reset();
      for (const one of status().rules) forgotten.inc({ rule: one.rule }, one.forgotten);
    },
  });
  const gauge = (name: string, help: string, read: (rule: RuleCounts) => number): void => {
    const value: Gauge<'rule'> = new Gauge({
      ...{ registers, name, help, labelNames: ['rule'] },
      collect: () => {
        for (const one of status().rules) value.set({ rule: one.rule }, read(one));
      },
    });
  };
  gauge('killdrill_detector_red', 'Series of a detector that are too much now.', ({ red }) => red);
  gauge('killdrill_detector_series', 'Series that a detector watches.', ({ series }) => series);
}
