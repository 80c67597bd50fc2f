import { startLoopWatch } from '../world/loop-watch.ts';
import { startWorld } from '../world/world.ts';
import type { World } from '../world/world.ts';
import type { Brackets } from './brackets.ts';
import type { DrillGround } from './drill-ground.ts';

/** The drill's world, with the watch over this process's loop that its arrivals are bounded by. */
export function openWorld({ trace, clock, history, scenario }: DrillGround, brackets: Brackets): World {
  const loop = startLoopWatch({ clock, history });
  brackets.add(() => loop.close());
  const world = startWorld({ trace, clock, history, loop, downstream: scenario.downstream });
  brackets.add(() => world.close());
  return world;
}
