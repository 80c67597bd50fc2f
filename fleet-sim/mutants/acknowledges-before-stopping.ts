import type { Mutant } from './mutant.ts';

export const acknowledgesBeforeStopping: Mutant = {
  name: 'acknowledges-before-stopping',
  bug: 'a worker confirms a stop as soon as it has heard of it, whatever calls in its scope are still open',
  removes: ['report in one tick'],
  property: 'stop_was_effective',
  scenario: 'halt-wait',
  bend({ differs }) {
    return {
      store: (genuine) => {
        const { reports } = genuine;
        if (reports === undefined) return genuine;
        return {
          ...genuine,
          reports: {
            register: (identity) => reports.register(identity),
            deregister: (incarnation) => reports.deregister(incarnation),
            report: (incarnation, number, report) => {
              if (report.busy?.length !== 0) {
                differs({ input: report.head.revision, unmodified: report.busy, mutated: [] });
              }
              return reports.report(incarnation, number, { ...report, busy: [] });
            },
          },
        };
      },
    };
  },
};
