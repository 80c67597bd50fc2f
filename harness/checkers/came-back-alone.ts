import type { Finding } from './checker.ts';
import { fail } from './finding.ts';
import type { DrillIndex } from './index-of.ts';
import { actionsOf } from './operator-of.ts';
import type { OperatorAction } from './operator-of.ts';
import { changeEvidence } from './queue-rules.ts';
import { resumedTasks } from './resumed-tasks.ts';
import type { TaskChange, WitnessedTask } from './tasks-of.ts';
import { NS_PER_MS } from './span.ts';
import { storeNsOf } from './store-time.ts';
import { taskName } from './tasks-of.ts';

/** The store's clock is carried over from the harness's with the width of a flip's answer. */
const SLACK_NS = 500 * NS_PER_MS;

/** A task that came back from its end while no resume that names it was being carried out; null when there is none. */
export function cameBackAlone(index: DrillIndex): Finding | null {
  const resumes = actionsOf(index.record.events, 'resume');
  for (const { task, change } of resumedTasks(index)) {
    if (resumes.some((resume) => names(resume, task) && isDuring(index, resume, change))) continue;
    const reason = `${taskName(task)} was ${change.from} and became ${change.to} after revision ${change.afterRevision}, and nobody resumed it`;
    return fail(reason, changeEvidence(task, change, null));
  }
  return null;
}

function names({ asked: { which } }: OperatorAction<'resume'>, { subject }: WitnessedTask): boolean {
  const { kind, runs, tenant } = which;
  if (kind === 'runs') return Array.isArray(runs) && runs.includes(subject.run);
  return kind === 'tenant' ? tenant === subject.tenant : true;
}

/** One that nobody answered may be carried out at any time; and where the clocks cannot be carried over, nobody can say. */
function isDuring(index: DrillIndex, { asked, answered }: OperatorAction<'resume'>, { t0 }: TaskChange): boolean {
  const fromNs = storeNsOf(index, asked.t0);
  if (fromNs === null) return true;
  const toNs = answered === null ? Number.POSITIVE_INFINITY : (storeNsOf(index, answered.t1) ?? t0);
  return t0 >= fromNs - SLACK_NS && t0 <= toNs + SLACK_NS;
}
