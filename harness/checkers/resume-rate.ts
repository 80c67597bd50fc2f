import type { Finding } from './checker.ts';
import { fail } from './finding.ts';
import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import type { OperatorAction } from './operator-of.ts';
import { claimAfter, resumedTasks } from './resumed-tasks.ts';
import type { Returned } from './resumed-tasks.ts';
import { NS_PER_MS, toMs } from './span.ts';
import { storeNsOf } from './store-time.ts';
import { taskEvidence, taskName } from './tasks-of.ts';

/** A claim may come this much before its turn. */
const TOLERANCE = 0.1;
const TOLERANCE_NS = 250 * NS_PER_MS;
/** The store's clock is carried over from the harness's with the width of a flip's answer. */
const SLACK_NS = 500 * NS_PER_MS;

/** A resumed task that was claimed before its turn by the resume's staging; null when none was. */
export function tooFast(index: DrillIndex, resume: OperatorAction<'resume'>): Finding | null {
  const spacing = spacingOf(resume);
  const back = spacing === null ? [] : broughtBack(index, resume);
  const fromNs = Math.min(...back.map(({ change }) => change.t0));
  const turns = new Map<string, number>();
  const claims = back.flatMap((one) => {
    const claim = claimAfter(one);
    return claim === null ? [] : [{ ...one, atNs: claim.t0 }];
  });
  for (const { task, atNs } of claims.toSorted((one, other) => one.atNs - other.atNs)) {
    if (spacing === null) return null;
    const group = spacing.by === 'task' ? task.id : (task.subject.tenant ?? '');
    const turn = turns.get(group) ?? turns.size;
    turns.set(group, turn);
    const dueNs = turn * spacing.everyMs * NS_PER_MS;
    if (atNs - fromNs >= dueNs * (1 - TOLERANCE) - TOLERANCE_NS) continue;
    const [early, due] = [Math.round(toMs(atNs - fromNs)), Math.round(toMs(dueNs))];
    const reason = `${taskName(task)} was claimed ${early} ms after the resume as number ${turn + 1} by ${spacing.by}; staged it is due after ${due} ms`;
    return fail(reason, {
      ...taskEvidence(task),
      action: resume.asked.action,
      askedAtMs: sinceT0(index, resume.asked.t0),
      staging: resume.asked.staging,
      turn: turn + 1,
      claimedAfterMs: early,
      dueAfterMs: due,
    });
  }
  return null;
}

function spacingOf({
  asked: { staging },
}: OperatorAction<'resume'>): { readonly by: 'task' | 'tenant'; readonly everyMs: number } | null {
  const { kind, tasksPerSecond, everyMs } = staging;
  if (kind === 'rate' && typeof tasksPerSecond === 'number') return { by: 'task', everyMs: 1000 / tasksPerSecond };
  if (kind === 'tenants' && typeof everyMs === 'number') return { by: 'tenant', everyMs };
  return null;
}

/** What one resume queued. What came back held is let go by a release, whose pace is none of the resume's. */
function broughtBack(index: DrillIndex, { asked, answered }: OperatorAction<'resume'>): readonly Returned[] {
  const fromNs = storeNsOf(index, asked.t0);
  const toNs = storeNsOf(index, answered?.t1 ?? asked.t1);
  if (fromNs === null || toNs === null) return [];
  return resumedTasks(index).filter(
    ({ change }) => change.to === 'queued' && change.t0 >= fromNs - SLACK_NS && change.t0 <= toNs + SLACK_NS,
  );
}
