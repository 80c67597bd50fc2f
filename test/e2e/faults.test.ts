import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerdictFile } from '../../harness/checkers/verdict-file.ts';
import type { HistoryEvent } from '../../harness/history/event.ts';
import { shortDrill } from './short-drill.ts';
import type { ShortDrill } from './short-drill.ts';
import { Workshop } from './workshop.ts';

let workshop: Workshop;
let drills = 0;
beforeAll(() => {
  workshop = new Workshop();
});
afterAll(() => workshop.close());

interface FaultCase {
  readonly name: string;
  /** YAML entries between the stop and its release. */
  readonly faults: readonly string[];
  readonly more: ShortDrill;
}

const CASES: readonly FaultCase[] = [
  {
    name: 'workers that are killed, paused and cut from either plane',
    faults: [
      '{ at: +1s, fault: { kind: kill, target: worker-1, for: 1s } }',
      '{ at: +500ms, fault: { kind: cut, target: worker-2, plane: registry, for: 2s } }',
      '{ at: +3500ms, fault: { kind: pause, target: worker-2, for: 2s } }',
      '{ at: +500ms, fault: { kind: cut, target: worker-1, plane: work, for: 1500ms } }',
    ],
    more: { hold: '12s' },
  },
  {
    name: 'workers whose planes are half-open, slow, uneven, narrow and broken',
    faults: [
      '{ at: +1s, fault: { kind: half-open, target: worker-1, plane: registry, for: 2s } }',
      '{ at: +200ms, fault: { kind: latency, target: worker-2, plane: work, delay: 100ms, for: 2s } }',
      '{ at: +200ms, fault: { kind: jitter, target: worker-2, plane: registry, delay: 100ms, for: 2s } }',
      '{ at: +4s, fault: { kind: reset, target: worker-1, plane: work, direction: to-client, for: 1s } }',
      '{ at: +200ms, fault: { kind: bandwidth, target: worker-2, plane: work, bytes: 20000/s, for: 2s } }',
    ],
    more: { hold: '14s' },
  },
  {
    name: 'workers whose other planes are slow, uneven, narrow, half-open and broken',
    faults: [
      '{ at: +1s, fault: { kind: half-open, target: worker-1, plane: work, for: 1500ms } }',
      '{ at: +200ms, fault: { kind: latency, target: worker-2, plane: registry, delay: 100ms, for: 2s } }',
      '{ at: +200ms, fault: { kind: jitter, target: worker-2, plane: work, delay: 100ms, for: 2s } }',
      '{ at: +4s, fault: { kind: reset, target: worker-2, plane: registry, for: 1s } }',
      '{ at: +200ms, fault: { kind: bandwidth, target: worker-1, plane: registry, bytes: 20000/s, for: 2s } }',
    ],
    more: { hold: '14s' },
  },
  {
    name: 'workers that are heard and hear nothing, or hear and are not heard',
    faults: [
      '{ at: +1s, fault: { kind: half-open, target: worker-1, plane: registry, direction: to-server, for: 2s } }',
      '{ at: +200ms, fault: { kind: half-open, target: worker-2, plane: work, direction: to-client, for: 1500ms } }',
      '{ at: +4s, fault: { kind: reset, target: worker-2, plane: registry, direction: to-server, for: 1s } }',
      '{ at: +200ms, fault: { kind: latency, target: worker-1, plane: registry, direction: to-client, delay: 100ms, for: 2s } }',
      '{ at: +200ms, fault: { kind: bandwidth, target: worker-1, plane: work, direction: to-server, bytes: 20000/s, for: 2s } }',
    ],
    more: { hold: '14s' },
  },
  {
    name: 'a worker that is restarted, and one whose clock is set back and forth',
    faults: [
      '{ at: +1s, fault: { kind: restart, target: worker-1 } }',
      '{ at: +200ms, fault: { kind: clock, target: worker-2, offset: -10m, for: 2s } }',
      '{ at: +3s, fault: { kind: clock, target: worker-1, offset: 90s, for: 1s } }',
    ],
    more: { hold: '12s' },
  },
  {
    name: 'PostgreSQL paused',
    faults: ['{ at: +1s, fault: { kind: pause, target: postgres, for: 3s } }'],
    more: { effects: '240/s', hold: '10s' },
  },
  {
    name: 'PostgreSQL restarted',
    faults: ['{ at: +1s, fault: { kind: restart, target: postgres } }'],
    // Shorter than a lease, a restart cannot show that the fleet fails closed.
    more: {
      hold: '8s',
      expect: '{ properties: [no_effect_after_stop, no_intent_after_stop, flips_on_record, release_takes_effect] }',
    },
  },
  {
    name: 'PostgreSQL killed, and a worker that comes back before it does',
    faults: [
      '{ at: +1s, fault: { kind: kill, target: postgres, for: 4s } }',
      '{ at: +500ms, fault: { kind: kill, target: worker-2, for: 1s } }',
    ],
    more: { effects: '240/s', hold: '12s' },
  },
];

describe('a sound fleet', () => {
  it.each(CASES)('passes with $name during a stop, with all receipts', async ({ faults, more }) => {
    drills += 1;
    const name = `faults-${drills}`;
    const scenario = workshop.write(`${name}.yaml`, shortDrill({ name, faults, ...more }));
    const { stdout, stderr } = await workshop.run([
      'run',
      scenario,
      '--environment',
      'embedded',
      '--out',
      name,
      '--json',
      '-q',
    ]);
    expect(stderr).toBe('');
    const { verdict, worst } = JSON.parse(stdout) as VerdictFile;
    expect({ verdict, worst: worst?.reason }).toEqual({ verdict: 'pass', worst: undefined });
    const all = ['injected', 'observed', 'recovered', 'selected'];
    expect(receiptsIn(join(workshop.folder, name))).toEqual(all.flatMap((receipt) => faults.map(() => receipt)));
    expect(workshop.left()).toEqual([]);
  });
});

function receiptsIn(reports: string): readonly string[] {
  const [run = 'none'] = readdirSync(reports);
  const lines = gunzipSync(readFileSync(join(reports, run, 'history.jsonl.gz')))
    .toString()
    .trim()
    .split('\n');
  const events = lines.map((line) => JSON.parse(line) as HistoryEvent);
  return events.flatMap(({ type }) => (type.startsWith('fault.') ? [type.slice('fault.'.length)] : [])).toSorted();
}
