import type { MatchSample } from './clock-skew.ts';
import type { EffectMapping } from './mapping-schema.ts';
import { readEffect } from './read-record.ts';
import { eachRow } from './read-rows.ts';
import type { RecordFile } from './read-rows.ts';
import type { FlipRecord } from './records.ts';

/** What a first look at one file of effects shows, without keeping any of them. */
export interface EffectScan {
  readonly rows: number;
  readonly effects: number;
  /** Rows that come before the one above them, and the line of the first such; null for none. */
  readonly outOfOrder: number;
  readonly firstOutOfOrder: number | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly doubts: readonly string[];
  /** Of each flip that refused effects: how long after it the first of them came. */
  readonly delaysMs: readonly number[];
  /** Of each id that the other source has: time here less time there. */
  readonly differencesMs: readonly number[];
}

interface ScanOptions {
  readonly flips: ReadonlyMap<string, FlipRecord>;
  /** Ids are put in here for another source… */
  readonly offer: MatchSample | null;
  /** …or compared with what that one has put in. */
  readonly compare: MatchSample | null;
}

/** @throws KilldrillError `RECORD_UNREADABLE` naming file and line. */
export async function scanEffects(file: RecordFile<EffectMapping>, options: ScanOptions): Promise<EffectScan> {
  const { flips, offer, compare } = options;
  const delays = new Map<string, number>();
  const differencesMs: number[] = [];
  const seen = { rows: 0, effects: 0, outOfOrder: 0, first: null as number | null, fromMs: Infinity, toMs: -Infinity };
  let beforeMs = -Infinity;
  const doubts = await eachRow(file, (row) => {
    seen.rows += 1;
    const effect = readEffect(row, file.name, file.mapping, file.isSpans);
    if (effect === null) return;
    const { id, atMs, flip } = effect;
    seen.effects += 1;
    if (atMs < beforeMs) {
      seen.outOfOrder += 1;
      seen.first ??= row.line;
    }
    beforeMs = atMs;
    seen.fromMs = Math.min(seen.fromMs, atMs);
    seen.toMs = Math.max(seen.toMs, atMs);
    const cause = flip === null ? undefined : flips.get(flip);
    if (cause !== undefined) delays.set(cause.id, Math.min(delays.get(cause.id) ?? Infinity, atMs - cause.atMs));
    if (id === null) return;
    offer?.offer(id, atMs);
    const there = compare?.get(id);
    if (there !== undefined) differencesMs.push(atMs - there);
  });
  const { first: firstOutOfOrder, ...counts } = seen;
  return { ...counts, firstOutOfOrder, doubts, delaysMs: [...delays.values()], differencesMs };
}
