import { SCOPES, STOP_MODES, GLOBAL_TARGET } from '../../src/switch.ts';
import { nearest } from '../scenario/nearest.ts';
import { parseOffset } from '../scenario/quantity.ts';
import { badRecord } from './import-error.ts';
import type { AlertMapping, EffectMapping, FieldMapping, FlipMapping, TimeMapping } from './mapping-schema.ts';
import type { AlertRecord, EffectRecord, FlipRecord } from './records.ts';
import type { Row } from './row.ts';
import { readSpanOfTime, readTime } from './times.ts';

const KINDS = ['stop', 'release'] as const;
const ACCESS = ['read', 'write'] as const;
const OUTCOMES = ['landed', 'failed', 'unknown', 'blocked'] as const;

/** What a row says, by a mapping; every sentence names its file and line. */
class RowFacts {
  readonly #row: Row;
  readonly #file: string;

  constructor(row: Row, file: string) {
    this.#row = row;
    this.#file = file;
  }

  /** Undefined when the row does not say it. */
  maybe(field: FieldMapping | undefined): string | undefined {
    if (field === undefined) return undefined;
    if (typeof field === 'string') return this.#row.value(field);
    if ('value' in field) return field.value;
    const found = this.#row.value(field.column);
    if (field.values === undefined) return found ?? field.otherwise;
    const known = found !== undefined && Object.hasOwn(field.values, found) ? field.values[found] : undefined;
    return known ?? field.otherwise ?? found;
  }

  need(name: string, field: FieldMapping): string {
    const found = this.maybe(field);
    if (found === undefined)
      throw this.bad(`found nothing for ${name}${columnOf(field)}; add it, or give the mapping a value`);
    return found;
  }

  oneOf<const T extends string>(name: string, words: readonly T[], found: string): T {
    const known = words.find((word) => word === found);
    if (known !== undefined) return known;
    const meant = nearest(found, words);
    const fix = `say in the mapping what it means: ${name}: { column: …, values: { '${found}': ${meant ?? words[0] ?? ''} } }`;
    throw this.bad(`found the ${name} '${found}', expected one of ${words.join(', ')}; ${fix}`);
  }

  time(name: string, mapping: TimeMapping): number {
    const field = typeof mapping === 'string' ? mapping : mapping.column;
    return this.#number(readTime(this.need(name, field), mapping));
  }

  maybeTime(name: string, mapping: TimeMapping | undefined): number | null {
    if (mapping === undefined) return null;
    const field = typeof mapping === 'string' ? mapping : mapping.column;
    return this.maybe(field) === undefined ? null : this.time(name, mapping);
  }

  took(mapping: EffectMapping['duration']): number | null {
    if (mapping === undefined) return null;
    const found = this.maybe(mapping.column);
    return found === undefined ? null : this.#number(readSpanOfTime(found, mapping.unit));
  }

  bad(sentence: string): Error {
    return badRecord(this.#file, this.#row.line, sentence);
  }

  #number(read: number | { readonly wrong: string }): number {
    if (typeof read === 'number') return read;
    throw this.bad(read.wrong);
  }
}

function columnOf(field: FieldMapping): string {
  if (typeof field === 'string') return ` in '${field}'`;
  return 'column' in field ? ` in '${field.column}'` : '';
}

/** @throws KilldrillError `RECORD_UNREADABLE` naming file and line. */
export function readFlip(row: Row, file: string, mapping: FlipMapping): FlipRecord {
  const facts = new RowFacts(row, file);
  const scope = facts.oneOf('scope', SCOPES, facts.need('scope', mapping.scope));
  const target = facts.maybe(mapping.target);
  if (scope !== 'global' && target === undefined) throw facts.bad(`found a flip of scope ${scope} without a target`);
  const kind = facts.oneOf('kind', KINDS, facts.need('kind', mapping.kind));
  return {
    line: row.line,
    id: facts.need('id', mapping.id),
    kind,
    scope,
    target: scope === 'global' ? GLOBAL_TARGET : (target ?? ''),
    mode: kind === 'stop' ? facts.oneOf('mode', STOP_MODES, facts.maybe(mapping.mode) ?? 'halt_all') : 'halt_all',
    reason: facts.maybe(mapping.reason) ?? null,
    alert: facts.maybe(mapping.alert) ?? null,
    atMs: facts.time('time', mapping.time) + offsetOf(mapping),
  };
}

/** @throws KilldrillError `RECORD_UNREADABLE` naming file and line. */
export function readAlert(row: Row, file: string, mapping: AlertMapping): AlertRecord {
  const facts = new RowFacts(row, file);
  return { id: facts.need('id', mapping.id), atMs: facts.time('time', mapping.time) + offsetOf(mapping) };
}

/**
 * Null for a span that is no effect: it has no capability.
 *
 * @throws KilldrillError `RECORD_UNREADABLE` naming file and line
 */
export function readEffect(row: Row, file: string, mapping: EffectMapping, isSpan: boolean): EffectRecord | null {
  const facts = new RowFacts(row, file);
  if (isSpan && facts.maybe(mapping.capability) === undefined) return null;
  const atMs = facts.time('time', mapping.time);
  const endMs = facts.maybeTime('end', mapping.end);
  if (endMs !== null && endMs < atMs)
    throw facts.bad('found an end that is before its time; are the two columns the right ones?');
  const access = facts.maybe(mapping.access);
  const outcome = facts.maybe(mapping.outcome);
  return {
    line: row.line,
    id: facts.maybe(mapping.id) ?? null,
    run: facts.need('run', mapping.run),
    tenant: facts.need('tenant', mapping.tenant),
    feature: facts.maybe(mapping.feature) ?? null,
    agent: facts.maybe(mapping.agent) ?? null,
    capability: facts.need('capability', mapping.capability),
    access: access === undefined ? null : facts.oneOf('access', ACCESS, access),
    atMs: atMs + offsetOf(mapping),
    tookMs: endMs === null ? facts.took(mapping.duration) : endMs - atMs,
    blocked: outcome !== undefined && facts.oneOf('outcome', OUTCOMES, outcome) === 'blocked',
    parent: facts.maybe(mapping.parent) ?? null,
    flip: facts.maybe(mapping.flip) ?? null,
  };
}

function offsetOf({ offset }: { readonly offset?: string | undefined }): number {
  return offset === undefined ? 0 : (parseOffset(offset) ?? 0);
}

/** The columns that a mapping names and a file has to have. */
export function columnsOf(mapping: object): readonly string[] {
  const fields = Object.entries(mapping).filter(([key]) => !['format', 'delimiter', 'offset'].includes(key));
  return fields.flatMap(([, field]: [string, unknown]) => {
    if (typeof field === 'string') return [field];
    const column = (field as { readonly column?: unknown } | undefined)?.column;
    return typeof column === 'string' ? [column] : [];
  });
}
