import { DEFAULT_LEASE, Lease } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { SecondLease } from './second-lease.ts';

export const wallClockLease: Mutant = {
  name: 'wall-clock-lease',
  bug: 'its lease counts on the wall clock: set back by ten minutes, it is good for ten minutes more',
  removes: ['lease'],
  property: 'in_flight_cancelled',
  scenario: 'clock-set-back',
  bend({ clock, leaseMs, differs }) {
    const byTheWall = { ...clock, monotonicMs: () => clock.wallMs() };
    const lease = new SecondLease(new Lease(byTheWall, { ...DEFAULT_LEASE, leaseMs }), 'question', differs);
    return { decider: (genuine) => lease.watch(genuine), store: (genuine) => lease.wrap(genuine) };
  },
};
