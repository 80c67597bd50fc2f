import type { Bundle } from '../bundle/create.ts';
import type { DrillClock } from '../history/clock.ts';
import type { HistoryWriter } from '../history/write.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { Trace } from '../traffic/trace.ts';

/** What a drill has before anything is started. */
export interface DrillGround {
  readonly scenario: Scenario;
  readonly trace: Trace;
  readonly bundle: Bundle;
  readonly clock: DrillClock;
  readonly history: HistoryWriter;
}
