import { alertMilestones } from './alert-milestones.ts';
import type { WitnessedEffect } from './effects-of.ts';
import { nameOf } from './flips-of.ts';
import type { DrillFlip, Stop } from './flips-of.ts';
import { covers } from './in-scope.ts';
import { sinceT0 } from './index-of.ts';
import type { DrillIndex } from './index-of.ts';
import { SNAPSHOT_MS, heldForMs } from './queue-snapshot.ts';
import { NS_PER_MS } from './span.ts';
import { runawaysIn } from './runaways-of.ts';
import { plannedFlip } from './stop-paths.ts';
import { timeToStop } from './time-to-stop.ts';
import type { Milestone } from './verdict-file.ts';

/** What happened in the drill, in order of time, as the witness and the harness saw it. */
export function milestonesOf(index: DrillIndex): readonly Milestone[] {
  const found: { readonly name: string; readonly ns: number }[] = [];
  const add = (name: string, ns: number | null | undefined): void => {
    if (ns !== null && ns !== undefined) found.push({ name, ns });
  };
  add('traffic begins', index.phases.get('traffic'));
  for (const fault of index.faults) {
    const what = fault.plane === null ? fault.target : `${fault.target} (${fault.plane})`;
    if (!fault.missing.includes('fault.injected')) add(`${fault.kind} of ${what}`, fault.fromNs);
    if (fault.recovered) add(`${what} recovered from ${fault.kind}`, fault.toNs);
  }
  for (const flip of index.flips) {
    const what = `${flip.kind} of ${nameOf(flip.on)}`;
    // Nobody requests what the fleet's own detectors are to notice: their alert does.
    if (!isNoticed(index, flip)) add(`${what} requested`, flip.requestNs);
    add(`${what} taken, not durable yet`, flip.provisionalNs);
    add(`${what} durable`, flip.durableNs);
  }
  for (const { on, looseNs, effects } of runawaysIn(index)) {
    add(`runaway of ${nameOf(on)} let loose`, looseNs);
    add(`first bad call of ${nameOf(on)}`, effects[0]?.t0);
  }
  for (const stop of index.stops) {
    add(`last worker stopped (${nameOf(stop.on)})`, lastStopped(index, stop));
    add(`${nameOf(stop.on)} flows again`, flowsAgain(index, stop));
  }
  for (const { name, ns } of alertMilestones(index)) add(name, ns);
  add('arrivals end', index.phases.get('drain') ?? index.phases.get('stopping'));
  const inOrder = found.toSorted((one, other) => one.ns - other.ns);
  return inOrder.map(({ name, ns }) => ({ name, atMs: sinceT0(index, ns) }));
}

function isNoticed(index: DrillIndex, { flip }: DrillFlip): boolean {
  const planned = plannedFlip(index, flip);
  return planned?.kind === 'flip' && planned.via === 'detector';
}

/** Null while any exposed worker was not seen to stop. */
function lastStopped(index: DrillIndex, stop: Stop): number | null {
  const exposed = timeToStop(index, stop).filter(({ state }) => state !== 'not_exposed' && state !== 'died');
  if (exposed.length === 0 || exposed.some(({ state }) => state === 'censored')) return null;
  return stop.requestNs + Math.max(...exposed.map(({ ms }) => ms ?? 0)) * NS_PER_MS;
}

function flowsAgain(index: DrillIndex, stop: Stop): number | null {
  const { releaseNs } = stop;
  if (releaseNs === null) return null;
  const others = index.stops.filter((other) => other !== stop);
  const isHeld = (effect: WitnessedEffect): boolean =>
    others.some(
      (other) =>
        other.requestNs <= effect.t0 && effect.t0 < (other.releaseNs ?? index.endNs) && covers(other.on, effect),
    );
  const flows = (effect: WitnessedEffect): boolean =>
    effect.t0 >= releaseNs && covers(stop.on, effect) && !isHeld(effect);
  return index.effects.find(flows)?.t0 ?? null;
}

/** What a drill as short as this one does not establish. */
export function notesOf(index: DrillIndex): readonly string[] {
  const notes: string[] = [];
  for (const stop of index.stops) {
    const heldMs = heldForMs(index, stop);
    if (heldMs >= SNAPSHOT_MS) continue;
    const held = (heldMs / 1000).toFixed(1);
    notes.push(`T+60 s not established: the stop of ${nameOf(stop.on)} was held for ${held} s (use --hold 60s)`);
  }
  return notes;
}
