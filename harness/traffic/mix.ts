import type { CallCapability } from './capabilities.ts';

export type Shares = Readonly<Record<CallCapability, number>>;

/** A distribution of times, milliseconds: heavy-tailed, at least `atLeastMs` and at most `atMostMs`. */
export type Times = { readonly atLeastMs: number; readonly atMostMs: number } & (
  | { readonly kind: 'log-normal'; readonly medianMs: number; readonly sigma: number }
  | { readonly kind: 'pareto'; readonly minMs: number; readonly alpha: number }
);

/** One kind of plan: how many steps, and which capabilities they call. */
export interface PlanKind {
  readonly kind: string;
  readonly steps: { readonly min: number; readonly max: number };
  readonly capabilities: Shares;
}

/** What the stated mix of a profile consists of. Every share is 0 to 1. */
export interface Mix {
  readonly plans: readonly (PlanKind & { readonly share: number })[];
  readonly child: PlanKind;
  readonly service: Readonly<Record<CallCapability | 'agent/spawn', Times>>;
  readonly deadline: { readonly timesService: number; readonly minMs: number };
  readonly journalFreeReads: number;
  readonly idempotentReads: number;
  readonly streams: number;
  readonly timers: { readonly ofWrites: number; readonly lead: Times };
  readonly refusals: {
    readonly ofSteps: number;
    readonly twice: number;
    readonly atMostInTurn: number;
    readonly backoff: Times;
  };
  readonly children: { readonly ofSteps: readonly number[]; readonly attached: number };
  readonly scheduled: { readonly ofRuns: number; readonly lead: Times };
  readonly tenantZipfExponent: number;
  readonly features: readonly string[];
  readonly featureZipfExponent: number;
  readonly bursts: { readonly rateFactor: number; readonly meanMs: number; readonly meanGapMs: number };
}

/** No ordinary call is served for longer; what is, is held on purpose. */
export const MAX_SERVICE_MS = 2_000;
const served = { atLeastMs: 1, atMostMs: MAX_SERVICE_MS } as const;
const LONGEST_LEAD_MS = 600_000;

/**
 * The stated mix of the profile `production`. Conversations are mostly model calls; jobs call no model at all, so that
 * a stop of the models leaves work that must go on.
 */
export const MIX: Mix = {
  plans: [
    {
      kind: 'conversation',
      share: 0.8,
      steps: { min: 2, max: 9 },
      capabilities: {
        'model/chat': 0.68,
        'tool/search': 0.12,
        'read/crm': 0.07,
        'write/mail': 0.05,
        'write/crm': 0.05,
        'webhook/notify': 0.03,
      },
    },
    {
      kind: 'job',
      share: 0.2,
      steps: { min: 2, max: 9 },
      capabilities: {
        'model/chat': 0,
        'tool/search': 0.15,
        'read/crm': 0.3,
        'write/mail': 0.15,
        'write/crm': 0.25,
        'webhook/notify': 0.15,
      },
    },
  ],
  /** What a run hands to a child of its own. */
  child: {
    kind: 'errand',
    steps: { min: 1, max: 4 },
    capabilities: {
      'model/chat': 0.6,
      'tool/search': 0.15,
      'read/crm': 0.1,
      'write/mail': 0.05,
      'write/crm': 0.05,
      'webhook/notify': 0.05,
    },
  },
  service: {
    'model/chat': { kind: 'log-normal', medianMs: 120, sigma: 0.7, ...served },
    'tool/search': { kind: 'log-normal', medianMs: 40, sigma: 0.9, ...served },
    'read/crm': { kind: 'log-normal', medianMs: 25, sigma: 0.8, ...served },
    'write/mail': { kind: 'log-normal', medianMs: 45, sigma: 0.8, ...served },
    'write/crm': { kind: 'log-normal', medianMs: 40, sigma: 0.8, ...served },
    // Other people's servers: the tail is the point.
    'webhook/notify': { kind: 'pareto', minMs: 25, alpha: 1.5, ...served },
    'agent/spawn': { kind: 'log-normal', medianMs: 15, sigma: 0.5, ...served },
  },
  deadline: { timesService: 4, minMs: 2_000 },
  /** Share of CRM reads that are declared journal-free. */
  journalFreeReads: 0.5,
  /** Share of searches and CRM reads that are declared idempotent. */
  idempotentReads: 0.8,
  /** Share of model calls that are answered in pieces. */
  streams: 0.4,
  /** Share of writes to mail and CRM that are a follow-up, later; how much later. All webhooks go through the outbox. */
  timers: {
    ofWrites: 0.2,
    lead: { kind: 'pareto', minMs: 400, alpha: 0.8, atLeastMs: 400, atMostMs: LONGEST_LEAD_MS },
  },
  /**
   * Share of calls, streams and webhooks that their downstream refuses once; of these, the share that it refuses twice; and
   * how long their agent waits. Not more than `atMostInTurn` in one task, whose attempts are bounded.
   */
  refusals: {
    ofSteps: 0.02,
    twice: 0.15,
    atMostInTurn: 3,
    backoff: { kind: 'log-normal', medianMs: 300, sigma: 0.8, atLeastMs: 50, atMostMs: 30_000 },
  },
  /** Share of the steps after a plan's first that start a child, by the depth of the run; of these, those that are waited for. */
  children: { ofSteps: [0.03, 0.06], attached: 0.4 },
  /** Share of arriving runs that are to start later. */
  scheduled: {
    ofRuns: 0.04,
    lead: { kind: 'log-normal', medianMs: 1_500, sigma: 1, atLeastMs: 100, atMostMs: LONGEST_LEAD_MS },
  },
  tenantZipfExponent: 1.1,
  features: ['assistant', 'search', 'outreach', 'reporting', 'billing'],
  featureZipfExponent: 0.8,
  bursts: { rateFactor: 3, meanMs: 400, meanGapMs: 3_600 },
};
