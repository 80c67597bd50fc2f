import type { Verdict } from '../checkers/checker.ts';
import type { Closeness, Moment, Moments } from './closeness.ts';

/** From these shares of effects in common on, a replay is called close, or roughly the same (docs/decisions/0018). */
export const CLOSE_SHARES = { close: 0.9, roughly: 0.6 } as const;

/**
 * How close a replay came, for a person: `close: 98 % of the effects before the stop are the same; the stop came 4 ms earlier,
 * after as many effects in its scope`.
 */
export function replaySentence(
  closeness: Closeness | null,
  { was, is }: { readonly was: Verdict; readonly is: Verdict },
  differing: number,
): string {
  const verdict = was === is ? `the verdict is ${is} again` : `the verdict is ${is}, and was ${was}`;
  const others =
    differing === 0 ? '' : `, and ${differing} ${differing === 1 ? 'property differs' : 'properties differ'}`;
  if (closeness === null) return `how close it came is not known, since a kept run has no history; ${verdict}${others}`;
  return `${wordOf(closeness.effects.share)}: ${[effectsOf(closeness), ...firstStop(closeness.moments), `${verdict}${others}`].join('; ')}`;
}

function wordOf(share: number | null): string {
  if (share === null) return 'nothing to compare';
  if (share >= CLOSE_SHARES.close) return 'close';
  return share >= CLOSE_SHARES.roughly ? 'roughly the same' : 'not close';
}

function effectsOf({ effects }: Closeness): string {
  if (effects.share === null) return 'no effect came before the stop in either';
  return `${percent(effects.share)} of the effects before the stop are the same`;
}

/** Rounded down, so that 100 % means all. */
export function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

function firstStop(moments: readonly Moments[]): readonly string[] {
  const stop = moments.find(({ what }) => what === 'stop');
  if (stop === undefined) return ['there was no stop in either'];
  const { was, is } = stop;
  if (was === null || is === null) return [`the stop came only ${was === null ? 'now' : 'then'}`];
  return [`the stop came ${earlier(was, is)}, after ${asMany(was, is)}`];
}

function earlier(was: Moment, is: Moment): string {
  const ms = Math.round(is.atMs - was.atMs);
  return ms === 0 ? 'at the same millisecond' : `${Math.abs(ms)} ms ${ms < 0 ? 'earlier' : 'later'}`;
}

function asMany(was: Moment, is: Moment): string {
  const more = is.effectsBefore - was.effectsBefore;
  if (more === 0) return `as many effects in its scope (${is.effectsBefore})`;
  const many = Math.abs(more);
  return `${many} ${many === 1 ? 'effect' : 'effects'} ${more > 0 ? 'more' : 'fewer'} in its scope`;
}
