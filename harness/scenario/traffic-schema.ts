import { z } from 'zod';
import { count, flag, map, oneOf, rate, text } from './leaf.ts';
import { LIMITS } from './limits.ts';
import { LINE } from './line.ts';

const drawn = map(
  {
    profile: oneOf(['production']).prefault('production'),
    effects: rate(LIMITS.effectsPerSecond, '200/s').describe('Planned effects per second, on average.'),
    tenants: count(LIMITS.tenants, 20).prefault(20),
  },
  '{ effects: 200/s }',
);

const given = map(
  {
    trace: text(LINE, { min: 1, max: LIMITS.pathLength }, 'the path of a trace', 'trace.jsonl.gz').describe(
      'Instead of drawn traffic, a trace that is given: JSON Lines, gzipped or not; relative to this file.',
    ),
    primed: flag()
      .prefault(false)
      .describe(
        'With a trace: add runs that hold calls for the first stop, and probes for each. Without it, the trace is taken to the letter.',
      ),
  },
  '{ trace: trace.jsonl.gz }',
);

/** The kinds of traffic; whoever names a trace means a given one. */
export const TRAFFIC_SCHEMAS = { drawn, given } as const;

export const trafficSchema = z.union([drawn, given]);
