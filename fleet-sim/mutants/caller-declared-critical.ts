import type { Subject } from '../../src/index.ts';
import { gateWith } from './gate-with.ts';
import type { Mutant } from './mutant.ts';
import { withOtherStops } from './shadow-decider.ts';
import { readPlan } from '../plan.ts';

export const callerDeclaredCritical: Mutant = {
  name: 'caller-declared-critical',
  bug: "takes the caller's word for what is critical: whoever wants to write something declares its run so",
  removes: ["the operator's list"],
  property: 'modes_honoured',
  scenario: 'overlapping',
  bend({ differs }) {
    // A drill is short: runs that have ended may stay.
    const declared = new Set<string>();
    const asDeclared = (subject: Subject): Subject =>
      [subject.run, ...subject.lineage].some((run) => declared.has(run)) ? { ...subject, critical: true } : subject;
    return {
      decider: (genuine) => withOtherStops(genuine, (subject) => genuine.stopFor(asDeclared(subject)), differs),
      tools: (genuine) => ({
        ...genuine,
        gate: gateWith(genuine.gate, {
          enterTask: (task, body) => {
            if (readPlan(task.run, task.plan).some(({ access }) => access === 'write')) declared.add(task.run);
            return genuine.gate.enterTask(task, body);
          },
        }),
      }),
    };
  },
};
