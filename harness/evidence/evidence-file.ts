import { z } from 'zod';
import { SCOPES, STOP_MODES } from '../../src/switch.ts';
import { VERDICTS } from '../checkers/checker.ts';
import { TAKEN_PATHS } from '../scenario/taken-path.ts';

export const EVIDENCE_VERSION = 1;

/** What one requirement of a document has from a drill: never more than evidence. */
export const STANDINGS = ['evidence towards it', 'evidence against it', 'nothing shown'] as const;
export type Standing = (typeof STANDINGS)[number];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a sha256 of 64 hex digits');
const instant = z.iso.datetime('expected an instant in UTC such as 2026-03-31T09:00:00.000Z');
const count = z.int().min(0);
const fact = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const finding = z.object({ name: z.string(), verdict: z.enum(VERDICTS), reason: z.string() });

const stop = z.object({
  scope: z.enum(SCOPES),
  /** As in the bundle. */
  target: z.string(),
  mode: z.enum(STOP_MODES),
  queue: z.string(),
  path: z.enum(TAKEN_PATHS),
  /** `not asked for`: the drill did not come that far. */
  answer: z.enum(['acknowledged', 'provisional', 'refused', 'silent', 'not asked for']),
  /** The engagement that it opened, by the id that the store has; null when there is none. */
  engagement: z.string().nullable(),
  revision: count.nullable(),
  /** Milliseconds since traffic began. */
  requestedAt: z.number().nullable(),
  durableAt: z.number().nullable(),
  released: z.boolean(),
  timeToStop: z
    .object({
      /** Workers that stopped, and the longest that one of them took, milliseconds. */
      n: count,
      maxMs: z.number().nullable(),
      /** Of workers that the harness had not cut off, and of those that it had. */
      budgetMs: z.object({ connected: z.number(), cut: z.number() }),
      /** All workers, by how they ended up. */
      workers: z.object({ stopped: count, censored: count, died: count, not_exposed: count }),
    })
    .nullable(),
  effectsAfterFlip: count.nullable(),
  effectsAfterBudget: count.nullable(),
  effectsAllowed: count,
  suspendedEffects: count.nullable(),
  intentsAfterStop: count.nullable(),
});

const requirement = z.object({
  id: z.string(),
  document: z.string(),
  documentVersion: z.string(),
  level: z.int().nullable(),
  /** In words of killdrill's. */
  asks: z.string(),
  standing: z.enum(STANDINGS),
  why: z.string(),
  properties: z.array(z.object({ name: z.string(), verdict: z.enum(VERDICTS) })),
  cannotShow: z.string(),
});

/**
 * `evidence.json`: what one drill is evidence of, for somebody who has no killdrill and maybe no bundle. Additions keep the
 * version, anything else raises it; what is not known is null, with the reason beside it where there is one.
 */
export const evidenceSchema = z.object({
  version: z.literal(EVIDENCE_VERSION),
  kind: z.literal('killdrill evidence'),
  drill: z.object({
    scenario: z.string(),
    seed: z.int(),
    properties: z.union([z.literal('all'), z.array(z.string())]),
  }),
  who: z.object({ name: z.string().nullable(), toldBy: z.string() }),
  when: z.object({ start: instant, end: instant }),
  project: z.object({
    commit: z.string().nullable(),
    dirty: z.boolean().nullable(),
    unknownBecause: z.string().nullable(),
  }),
  fleet: z.object({
    /** Null: the simulated fleet that comes with killdrill. */
    command: z.array(z.string()).nullable(),
    killdrill: z.string(),
    workers: z.int(),
    agentsPerWorker: z.int(),
    /** Model, prompt and tools, as declared before the fleet started; null when nothing was. */
    contract: z.record(z.string(), z.unknown()).nullable(),
  }),
  environment: z.object({
    name: z.string(),
    facts: z.record(z.string(), fact).nullable(),
    machine: z.record(z.string(), fact).nullable(),
  }),
  stops: z.array(stop),
  result: z.object({
    verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']),
    exitCode: z.int(),
    worst: finding.nullable(),
    properties: z.array(finding),
    expectations: z.array(finding),
    notes: z.array(z.string()),
  }),
  requirements: z.array(requirement),
  bundle: z.object({
    name: z.string(),
    manifestSha256: sha256,
    storeHead: z
      .object({ epoch: z.string(), revision: count, hash: z.string(), signature: z.string().nullable() })
      .nullable(),
  }),
  remarks: z.array(z.string()),
  /** Of everything else in the file (seal.ts). */
  sha256,
});

export type Evidence = z.infer<typeof evidenceSchema>;
export type EvidenceStop = Evidence['stops'][number];
export type RequirementStanding = Evidence['requirements'][number];
