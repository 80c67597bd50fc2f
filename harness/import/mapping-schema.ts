import { z } from 'zod';
import { QUEUE_POLICIES } from '../../src/switch.ts';
import { count, dictionary, duration, exactly, list, map, oneOf, text } from '../scenario/leaf.ts';
import { LIMITS } from '../scenario/limits.ts';
import { LINE } from '../scenario/line.ts';

const NAME = { min: 1, max: LIMITS.targetLength };
const column = text(LINE, NAME, 'the name of a column', 'tenant');
const word = text(LINE, NAME, 'a word', 'acme');
const values = dictionary(
  word,
  { pattern: LINE, range: { min: 1, max: 1_000 }, one: 'what a column says', many: 'words' },
  '{ blocked: halt_all }',
);

const FIELD = 'a column’s name, { column, values, otherwise } or { value }';
const field = z.union(
  [column, map({ column, values: values.optional(), otherwise: word.optional() }, ''), map({ value: word }, '')],
  {
    error: `${FIELD}\nwrite for example tenant, or { value: acme }`,
  },
);
const TIME = 'a column’s name, or { column, unit, zone }';
const time = z.union(
  [
    column,
    map(
      {
        column,
        unit: oneOf(['iso', 's', 'ms', 'us', 'ns']).prefault('iso'),
        zone: text(/^(?:Z|[+-]\d\d:\d\d)$/, NAME, 'a zone such as +02:00', '+02:00').optional(),
      },
      '',
    ),
  ],
  { error: `${TIME}\nwrite for example { column: at, unit: ms }` },
);
const shift = text(/^-?\d{1,9}(?:\.\d{1,6})?(?:ms|s|m)$/, NAME, 'a time to add, such as -120m', '-120m').optional();
const source = {
  format: oneOf(['csv', 'jsonl', 'otlp']).optional(),
  delimiter: text(/^[,;\t|]$/, { min: 1, max: 1 }, 'one of , ; | and a tab', "';'").prefault(','),
  offset: shift,
} as const;

const effects = map(
  {
    ...source,
    time,
    end: time.optional(),
    duration: map({ column, unit: oneOf(['s', 'ms', 'us', 'ns']).prefault('ms') }, '').optional(),
    id: field.optional(),
    run: field,
    tenant: field,
    feature: field.optional(),
    agent: field.optional(),
    capability: field,
    access: field.optional(),
    outcome: field.optional(),
    parent: field.optional(),
    flip: field.optional(),
  },
  '{ time: at, run: run_id, tenant: tenant, capability: tool }',
);

const rule = z.union(
  [
    oneOf(['keep', 'hash', 'drop']),
    map({ replace: values, otherwise: oneOf(['keep', 'hash', 'drop']).prefault('hash') }, ''),
  ],
  { error: 'keep, hash, drop or { replace: { acme: customer-1 } }\nwrite for example hash' },
);

/** A mapping file: which columns of an incident's records say what, and what of it may be kept. */
export const mappingSchema = map(
  {
    version: exactly(1, '1'),
    name: text(
      /^[a-z0-9]+(?:-[a-z0-9]+)*$/,
      { min: 1, max: LIMITS.nameLength },
      'a name such as checkout-storm',
      'checkout-storm',
    ),
    description: text(LINE, { min: 0, max: LIMITS.textLength }, 'one line', 'The storm of May.').optional(),
    flips: map(
      {
        ...source,
        time,
        id: field,
        kind: field,
        scope: field,
        target: field.optional(),
        mode: field.optional(),
        reason: field.optional(),
        alert: field.optional(),
      },
      '{ time: at, id: id, kind: kind, scope: scope, target: target }',
    ),
    alerts: map({ ...source, time, id: field }, '{ time: at, id: id }').optional(),
    effects: effects.optional(),
    spans: effects.optional(),
    writes: list(word, { min: 0, max: 100 }, 'capabilities or patterns', '[write/*]').optional(),
    queue: oneOf(QUEUE_POLICIES.filter((policy) => policy !== 'drain') as ['discard', 'park']).prefault('discard'),
    window: map(
      {
        before: duration({ min: 4_000, max: 300_000 }, '10s').prefault('10s'),
        after: duration({ min: 1_000, max: 300_000 }, '10s').prefault('10s'),
        longestGap: duration({ min: 1_000, max: 300_000 }, '20s').prefault('20s'),
        pause: duration({ min: 1, max: 60_000 }, '1s').prefault('1s'),
      },
      '{ before: 10s, after: 10s }',
    ).prefault({}),
    fleet: map(
      { workers: count(LIMITS.workers, 4), agentsPerWorker: count(LIMITS.agentsPerWorker, 16) },
      '{ workers: 4, agentsPerWorker: 16 }',
    ).optional(),
    redact: map(
      {
        tenant: rule.prefault('keep'),
        feature: rule.prefault('keep'),
        agent: rule.prefault('keep'),
        run: rule.prefault('keep'),
        reason: rule.prefault('keep'),
        salt: text(LINE, { min: 8, max: 200 }, 'a secret of at least 8 characters', 'a long secret').optional(),
      },
      '{ tenant: hash }',
    ).prefault({}),
  },
  'version, name, flips and effects',
);
export type Mapping = z.output<typeof mappingSchema>;
export type FlipMapping = Mapping['flips'];
export type AlertMapping = NonNullable<Mapping['alerts']>;
export type EffectMapping = z.output<typeof effects>;
export type FieldMapping = z.output<typeof field>;
export type TimeMapping = z.output<typeof time>;
export type RedactionRule = z.output<typeof rule>;
