import { DEFAULT_LEASE, Lease } from '../../src/index.ts';
import type { Mutant } from './mutant.ts';
import { SecondLease } from './second-lease.ts';

export const renewsLeaseOnReceipt: Mutant = {
  name: 'renews-lease-on-receipt',
  bug: 'its lease counts from when an answer arrives, not from when the question left: what was under way for long is as good as new',
  // It polls only. With notifications the stop would come right behind the old answer, on the same connection; the lease
  // alone, counted rightly, keeps a worker without them within its budget.
  removes: ['lease', 'notifications'],
  property: 'in_flight_cancelled',
  scenario: 'late-answers',
  bend({ clock, leaseMs, differs }) {
    const lease = new SecondLease(new Lease(clock, { ...DEFAULT_LEASE, leaseMs }), 'answer', differs);
    return {
      decider: (genuine) => lease.watch(genuine),
      store: (genuine) => {
        const renewed = lease.wrap(genuine);
        const deaf = () => Promise.resolve({ close: () => Promise.resolve() });
        return { ...renewed, source: { ...renewed.source, listen: deaf } };
      },
    };
  },
};
