import type { Finding, Verdict } from './checker.ts';

type Evidence = Finding['evidence'];

/** A finding with the name of what it is about. */
export interface NamedFinding extends Finding {
  readonly name: string;
}

export function pass(reason: string, evidence: Evidence = {}): Finding {
  return { verdict: 'pass', reason, evidence };
}

export function fail(reason: string, evidence: Evidence): Finding {
  return { verdict: 'fail', reason, evidence };
}

/** `obligation` is what the drill owed before this property could be decided. */
export function inconclusive(obligation: string, reason: string, evidence: Evidence = {}): Finding {
  return {
    verdict: 'inconclusive',
    reason: `not shown: ${obligation}: ${reason}`,
    evidence: { obligation, ...evidence },
  };
}

export function notApplicable(reason: string): Finding {
  return { verdict: 'not_applicable', reason, evidence: {} };
}

export function error(reason: string, evidence: Evidence = {}): Finding {
  return { verdict: 'error', reason, evidence };
}

/** Worst first (DESIGN §4.9). */
export const SEVERITY: readonly Verdict[] = ['fail', 'error', 'inconclusive', 'pass', 'not_applicable'];

/** The worst of the findings, the first among equals; null of none. */
export function worstOf<T extends { readonly verdict: Verdict }>(findings: readonly T[]): T | null {
  for (const verdict of SEVERITY) {
    const found = findings.find((finding) => finding.verdict === verdict);
    if (found !== undefined) return found;
  }
  return null;
}
