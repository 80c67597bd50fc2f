import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/clock.ts';
import { addDetectorMetrics } from '../../../../src/control/api/detector-metrics.ts';
import type { ControlApiParts } from '../../../../src/control/api/parts.ts';
import type { JournalWatchStatus } from '../../../../src/detect/journal-watch.ts';

const MAILS = { rule: 'mails', series: 7, forgotten: 2, red: 1, raised: 5, delivered: 3, undelivered: 1 };
const STATUS: JournalWatchStatus = {
  ...{ isReading: true, rows: 40, late: 4, behindMs: 1_500, raised: 5, undelivered: 1, red: 1, errors: 6 },
  ...{ lookedAgoMs: 2_000, rules: [MAILS] },
};

async function exposed(detectors?: () => JournalWatchStatus): Promise<readonly string[]> {
  const registry = new Registry();
  const clock = { ...systemClock, wallMs: () => 100_000 };
  const parts = { clock, ...(detectors === undefined ? {} : { detectors }) } as ControlApiParts;
  addDetectorMetrics([registry], parts);
  await registry.metrics(); // what is collected twice is counted once
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the metrics of detectors', () => {
  it('say whether they see, and what each has raised', async () => {
    expect(await exposed(() => STATUS)).toEqual([
      'killdrill_detector_alerts_total{rule="mails",outcome="delivered"} 3',
      'killdrill_detector_alerts_total{rule="mails",outcome="undelivered"} 1',
      'killdrill_detector_forgotten_total{rule="mails"} 2',
      'killdrill_detector_red{rule="mails"} 1',
      'killdrill_detector_series{rule="mails"} 7',
      'killdrill_detectors_rows_total 40',
      'killdrill_detectors_late_rows_total 4',
      'killdrill_detectors_errors_total 6',
      'killdrill_detectors_reading 1',
      'killdrill_detectors_behind_seconds 1.5',
      'killdrill_detectors_last_look_timestamp_seconds 98',
    ]);
  });

  it('are of before the first look while none was answered', async () => {
    const lines = await exposed(() => ({ ...STATUS, isReading: false, lookedAgoMs: null }));
    expect(lines).toContain('killdrill_detectors_reading 0');
    expect(lines).toContain('killdrill_detectors_last_look_timestamp_seconds 0');
  });

  it('are not there where no detectors are', async () => {
    expect(await exposed()).toEqual([]);
  });
});
