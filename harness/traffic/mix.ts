import { CAPABILITIES, CAPABILITY_NAMES } from './capabilities.ts';
import type { Capability } from './capabilities.ts';
import { logNormal, pareto, weighted, wholeBetween } from './distributions.ts';
import type { Draw } from './distributions.ts';
import type { Prng } from './prng.ts';
import type { PlanStep } from './trace.ts';

type Shares = Readonly<Record<Capability, number>>;

/** How the service time of a capability is distributed, milliseconds: heavy-tailed, capped by `MIX.maxServiceMs`. */
type Service =
  | { readonly kind: 'log-normal'; readonly medianMs: number; readonly sigma: number }
  | { readonly kind: 'pareto'; readonly minMs: number; readonly alpha: number };

/**
 * The stated mix of the profile `production`. Conversations are mostly model calls; jobs call no model at all, so that
 * a stop of the models leaves work that must go on.
 */
export const MIX = {
  plans: [
    {
      kind: 'conversation',
      share: 0.8,
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
  steps: { min: 2, max: 9 },
  service: {
    'model/chat': { kind: 'log-normal', medianMs: 120, sigma: 0.7 },
    'tool/search': { kind: 'log-normal', medianMs: 40, sigma: 0.9 },
    'read/crm': { kind: 'log-normal', medianMs: 25, sigma: 0.8 },
    'write/mail': { kind: 'log-normal', medianMs: 45, sigma: 0.8 },
    'write/crm': { kind: 'log-normal', medianMs: 40, sigma: 0.8 },
    // Other people's servers: the tail is the point.
    'webhook/notify': { kind: 'pareto', minMs: 25, alpha: 1.5 },
  },
  maxServiceMs: 2_000,
  deadline: { timesService: 4, minMs: 2_000 },
  /** Share of CRM reads that are declared journal-free. */
  journalFreeReads: 0.5,
  tenantZipfExponent: 1.1,
  features: ['assistant', 'search', 'outreach', 'reporting', 'billing'],
  featureZipfExponent: 0.8,
  bursts: { rateFactor: 3, meanMs: 400, meanGapMs: 3_600 },
} as const satisfies {
  readonly plans: readonly { readonly kind: string; readonly share: number; readonly capabilities: Shares }[];
  readonly service: Readonly<Record<Capability, Service>>;
  readonly [parameter: string]: unknown;
};

const drawPlanKind: Draw = weighted(MIX.plans.map(({ share }) => share));
const drawCapability: readonly Draw[] = MIX.plans.map(({ capabilities }) =>
  weighted(CAPABILITY_NAMES.map((name) => capabilities[name])),
);

/** One run's plan. */
export function drawPlan(prng: Prng): readonly PlanStep[] {
  const draw = drawCapability[drawPlanKind(prng)];
  const length = wholeBetween(prng, MIX.steps.min, MIX.steps.max);
  return Array.from({ length }, () => drawStep(prng, CAPABILITY_NAMES[draw?.(prng) ?? 0] ?? 'model/chat'));
}

/** One ordinary call of a capability. */
export function drawStep(prng: Prng, capability: Capability): PlanStep {
  const serviceMs = drawServiceMs(prng, MIX.service[capability]);
  const { timesService, minMs } = MIX.deadline;
  return {
    capability,
    access: CAPABILITIES[capability],
    journal: !(capability === 'read/crm' && prng.uniform() < MIX.journalFreeReads),
    serviceMs,
    deadlineMs: Math.max(minMs, timesService * serviceMs),
  };
}

function drawServiceMs(prng: Prng, service: Service): number {
  const drawn =
    service.kind === 'pareto'
      ? pareto(prng, service.minMs, service.alpha)
      : logNormal(prng, service.medianMs, service.sigma);
  // Whole milliseconds hide what the last digits of a logarithm may differ by between engines.
  return Math.min(MIX.maxServiceMs, Math.max(1, Math.round(drawn)));
}
