import { amount, duration, map, oneOf } from './leaf.ts';
import { LIMITS } from './limits.ts';

/** What a detector of a drilled fleet may be about: what a runaway of the traffic can be made of. */
export const DETECTED_SCOPES = ['tenant', 'agent'] as const;

const writeRate = map(
  {
    per: oneOf(DETECTED_SCOPES).describe(
      'Whose writes are counted together, in each worker by itself, and whose stop is asked for.',
    ),
    perSecond: amount(LIMITS.detectorPerSecond, 40).describe(
      'Red at so many writes a second, averaged over the window.',
    ),
    window: duration(LIMITS.detectorWindowMs, '1s').prefault('1s').describe('How far back it looks.'),
  },
  '{ per: tenant, perSecond: 40 }',
);

/** Detectors in the processes of the fleet. */
export const detectorsSchema = map({ writeRate }, '{ writeRate: { per: tenant, perSecond: 40 } }');
