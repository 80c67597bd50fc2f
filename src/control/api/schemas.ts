import { z } from 'zod';
import { QUEUE_POLICIES, SCOPES, STOP_MODES } from '../../switch.ts';
import { CANARY_OUTCOMES } from '../periodic-canary.ts';

/** PostgreSQL keeps no NUL and no half of a surrogate pair. */
export const isStorable = (text: string): boolean => !/[\0\p{Cs}]/u.test(text);
export const UNSTORABLE = 'a text may hold neither the character U+0000 nor half of a surrogate pair';
const name = z.string().min(1).max(300).refine(isStorable, UNSTORABLE);
const reason = z.string().trim().min(1).max(2_000).refine(isStorable, UNSTORABLE);

const TARGET_WANTED = { message: "a target is expected with every scope but 'global'", path: ['target'] };

/** A stop in words; the server makes the flip. */
export const stopWords = z
  .strictObject({
    scope: z.enum(SCOPES).default('global').describe('what the switch is about'),
    target: name.optional().describe("name within the scope; '*', the default, for global only"),
    mode: z.enum(STOP_MODES).default('halt_all'),
    queue: z.enum(QUEUE_POLICIES).default('discard').describe('what becomes of queued work in scope'),
    drainMs: z.int().min(1).max(86_400_000).optional().describe("how long a drain lasts; with queue 'drain' only"),
    reason: reason.describe('why; goes on record'),
    by: name.optional().describe("who asks; the key's name unless told"),
    id: name.optional().describe('unique for ever; the same stop sent again has the first answer'),
    at: name.optional().describe('ISO 8601 instant at which it was taken, informative only'),
  })
  .refine(({ scope, target }) => scope === 'global' || target !== undefined, TARGET_WANTED);

/** A stop that the caller made, and signed or not. */
export const stopMade = z.strictObject({
  text: z.string().min(2).max(20_000).describe("the flip's canonical text"),
  signature: z.string().max(200).nullable().default(null).describe('Ed25519 over the text, base64'),
});

export const releaseWords = z.strictObject({
  engagements: z.array(name).min(1).max(1_000).describe('ids of the engagements that the operator saw'),
  reason: reason.describe('why; goes on record'),
  by: name.optional().describe("who asks; the key's name unless told"),
  evenIfRed: reason.optional().describe('why it is released although it is red; goes on record'),
});

const digits = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number')
  .transform(Number);
export const flipsQuery = z.strictObject({
  after: digits.default(0).describe('the revision after which to begin'),
  limit: digits.pipe(z.int().min(1).max(1_000)).default(100).describe('at most so many, 1 to 1,000'),
});
export const previewQuery = z
  .strictObject({
    scope: z.enum(SCOPES).default('global').describe('what the switch is about'),
    target: name.optional().describe("name within the scope; '*', the default, for global only"),
    mode: z.enum(STOP_MODES).default('halt_all'),
  })
  .refine(({ scope, target }) => scope === 'global' || target !== undefined, TARGET_WANTED);
export const noQuery = z.strictObject({});

const head = z.object({ epoch: z.string(), revision: z.int(), hash: z.string() });
export const durableAnswer = z.object({ id: z.string(), durable: z.literal(true), revision: z.int(), head });
export const provisionalAnswer = z.object({
  id: z.string(),
  durable: z.literal(false),
  why: z.string(),
  reached: z.array(z.string()).describe('other paths that took it'),
  keptAt: z.string().nullable().describe('the file that keeps it on the server; null: in memory only'),
});
const engagement = z.object({
  id: z.string(),
  revision: z.int().nullable().describe('null: enforced here, and not known to be durable'),
  scope: z.enum(SCOPES),
  target: z.string(),
  mode: z.enum(STOP_MODES),
  queue: z.enum(QUEUE_POLICIES),
  drainMs: z.int().optional(),
  reason: z.string(),
  triggeredBy: z.string(),
  source: z.string(),
  at: z.string(),
});
export const releaseAnswer = z.object({
  id: z.string(),
  revision: z.int(),
  closed: z.array(engagement),
  red: z.array(z.string()).describe('checks that were red, and passed over'),
});
export const switchesAnswer = z.object({
  head: head.nullable().describe('null: nothing was loaded yet'),
  verified: z.boolean().describe('false: the store has not answered for a lease, and there may be more'),
  engagements: z.array(engagement),
});
const hits = z.object({
  runs: z.int(),
  workers: z.int(),
  inFlight: z.int(),
  writesInFlight: z.int(),
  overdue: z.int(),
  running: z.int(),
  queued: z.int(),
  parked: z.int(),
  timers: z.int(),
  retries: z.int(),
});
export const previewAnswer = z.object({
  scope: z.enum(SCOPES),
  target: z.string(),
  mode: z.enum(STOP_MODES),
  preview: z.object({
    head,
    hits,
    items: z.int().describe('tasks that have not ended, and calls in flight'),
    passes: z.int().describe('what it covers and lets pass, since it is critical'),
    alreadyOpen: z.int(),
    narrower: z.array(z.object({ scope: z.enum(SCOPES), target: z.string(), items: z.int(), hits })),
  }),
});
export const flipsAnswer = z.object({
  head,
  flips: z.array(head.extend({ text: z.string(), signature: z.string().nullable() })),
});
const canary = z.object({
  everyMs: z.number(),
  rounds: z.record(z.enum(CANARY_OUTCOMES), z.int()).describe('since the start of this process, by how they ended'),
  last: z
    .object({
      outcome: z.enum(CANARY_OUTCOMES),
      agoMs: z.number(),
      tookMs: z.number(),
      refused: z.int().describe('workers whose gate refused it'),
      silent: z.array(z.string()).describe('workers that report, and did not refuse it in time'),
      gone: z.array(z.string()).describe('workers that nobody has heard of for several leases'),
      why: z.string().nullable(),
    })
    .nullable(),
});
const detectors = z.object({
  isReading: z.boolean().describe('false: the store did not answer the last time'),
  rows: z.int().describe('intents of the journal that were read'),
  late: z.int().describe('of those, the ones that came too late to be counted'),
  behindMs: z.number(),
  raised: z.int().describe('alerts'),
  undelivered: z.int().describe('of those, the ones that the bus did not take'),
  red: z.int().describe('what is too much now'),
  errors: z.int().describe('looks that the store did not answer, and rows that no rule could take'),
  lookedAgoMs: z.number().nullable().describe('since the store last answered a look; null: it never did'),
  rules: z.array(
    z.object({
      rule: z.string(),
      series: z.int().describe('what it watches: tenants, agents, or whatever it is per'),
      forgotten: z.int().describe('of those, the ones dropped while they still counted'),
      red: z.int(),
      raised: z.int(),
      delivered: z.int().describe('alerts that the bus took'),
      undelivered: z.int(),
    }),
  ),
});
export const statusAnswer = z.object({
  namespace: z.string(),
  version: z.string(),
  head: head.nullable(),
  verified: z.boolean(),
  open: z.int(),
  stops: z.object({
    waiting: z.int().describe('stops that the store has not answered for'),
    away: z.string().nullable().describe('why the store did not take the last one; null if it did'),
  }),
  refusals: z.object({ waiting: z.int(), dropped: z.int() }),
  sinks: z
    .array(
      z.object({
        name: z.string(),
        told: z.int().nullable().describe('the revision that it has taken last'),
        behind: z.int().nullable().describe('flips that it has not taken'),
        error: z.string().nullable(),
      }),
    )
    .describe('those who are told of every flip'),
  mirror: z
    .object({
      revision: z.int().nullable().describe('of the record, as the state file has it'),
      error: z.string().nullable(),
    })
    .nullable()
    .describe('the state file that is kept equal to the store'),
  lastProvenMs: z
    .number()
    .nullable()
    .describe('since every worker that reports last refused a canary; null: they have not, or nobody knows'),
  executor: z.object({ isReading: z.boolean(), backlog: z.int(), unanswered: z.int() }).nullable(),
  canary: canary.nullable().describe('null: this process flies none'),
  detectors: detectors.nullable().describe('null: this process has none'),
});
export const okAnswer = z.object({ ok: z.literal(true) });
export const problemAnswer = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  field: z.string().optional(),
});
