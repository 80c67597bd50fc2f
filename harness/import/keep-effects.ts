import { KilldrillError } from '../../src/errors.ts';
import { LIMITS } from '../scenario/limits.ts';
import type { IncidentClock } from './incident-clock.ts';
import type { EffectMapping } from './mapping-schema.ts';
import { readEffect } from './read-record.ts';
import { eachRow } from './read-rows.ts';
import type { RecordFile } from './read-rows.ts';
import type { EffectRecord } from './records.ts';
import type { Redactor } from './redact.ts';
import { ownText } from './row.ts';

/** An effect that the drill repeats, with the drill's names and times. */
export interface KeptEffect extends Omit<EffectRecord, 'line' | 'id' | 'flip'> {
  readonly feature: string;
  readonly agent: string;
  /** Milliseconds after T0. */
  readonly atMs: number;
}

/** The effects of an incident that lie in its drill; no others are ever held. */
export class KeptEffects {
  readonly #clock: IncidentClock;
  readonly #redactor: Redactor;
  readonly #kept: KeptEffect[] = [];
  /** Where effects are that another source may say more about. */
  readonly #byId = new Map<string, number>();
  /** Effects that lie outside of the drill. */
  outside = 0;
  /** Effects of a later source that an earlier one has too. */
  matched = 0;
  withoutFeature = 0;
  withoutAgent = 0;

  constructor(clock: IncidentClock, redactor: Redactor) {
    this.#clock = clock;
    this.#redactor = redactor;
  }

  get all(): readonly KeptEffect[] {
    return this.#kept;
  }

  /**
   * Reads a file and keeps what is in the drill.
   *
   * @param addMs what its clock is off by
   * @param remember whether another source is to come
   * @throws KilldrillError `RECORD_UNREADABLE`; `INCIDENT_TOO_LARGE` for more effects than a trace may have
   */
  async read(file: RecordFile<EffectMapping>, addMs: number, remember: boolean): Promise<void> {
    await eachRow(file, (row) => {
      const effect = readEffect(row, file.name, file.mapping, file.isSpans);
      if (effect !== null) this.#take(effect, effect.atMs + addMs, remember);
    });
  }

  #take(effect: EffectRecord, atMs: number, remember: boolean): void {
    const drillMs = this.#clock.drillMs(atMs);
    if (drillMs === null) {
      this.outside += 1;
      return;
    }
    const there = effect.id === null ? undefined : this.#byId.get(effect.id);
    if (there !== undefined && !remember) {
      this.#addTo(there, effect);
      return;
    }
    if (this.#kept.length >= LIMITS.traceEffects) {
      const sentence = `more than ${LIMITS.traceEffects} effects lie in the drill's window, which is all that a trace may have`;
      throw new KilldrillError(
        'INCIDENT_TOO_LARGE',
        `${sentence}; lower window.before, window.after or window.longestGap in the mapping`,
      );
    }
    if (remember && effect.id !== null) this.#byId.set(ownText(effect.id), this.#kept.length);
    if (effect.feature === null) this.withoutFeature += 1;
    if (effect.agent === null) this.withoutAgent += 1;
    this.#kept.push(this.#keep(effect, drillMs));
  }

  #keep(effect: EffectRecord, atMs: number): KeptEffect {
    const { access, tookMs, blocked } = effect;
    const redactor = this.#redactor;
    return {
      run: redactor.name('run', effect.run),
      tenant: redactor.name('tenant', effect.tenant),
      feature: effect.feature === null ? 'unknown' : redactor.name('feature', effect.feature),
      agent: effect.agent === null ? 'unknown' : redactor.name('agent', effect.agent),
      capability: redactor.capability(effect.capability),
      access,
      atMs,
      tookMs,
      blocked,
      parent: effect.parent === null || effect.parent === effect.run ? null : redactor.name('run', effect.parent),
    };
  }

  /** What the later source knows and the earlier one does not. */
  #addTo(index: number, effect: EffectRecord): void {
    const known = this.#kept[index];
    if (known === undefined) return;
    this.matched += 1;
    const parent = effect.parent === null ? null : this.#redactor.name('run', effect.parent);
    this.#kept[index] = {
      ...known,
      tookMs: known.tookMs ?? effect.tookMs,
      parent: known.parent ?? (parent === known.run ? null : parent),
    };
  }
}
