import { SEVERITY } from '../../checkers/finding.ts';
import { CHECKERS } from '../../checkers/registry.ts';
import type { PropertyFinding } from '../../checkers/run-checkers.ts';
import type { Judgement } from '../../checkers/verdict-file.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import { verdictBadge } from './verdict-badge.ts';

const MOST_EVIDENCE_CHARS = 4_000;
const CLAIMS = new Map(CHECKERS.map(({ name, claim }) => [name, claim]));

/** Every property and expectation with its reason and its evidence, the worst first; what does not apply comes last, closed. */
export function findings({ properties, expectations }: Judgement): Markup {
  const all = [
    ...properties.map((finding) => ({ finding, claim: CLAIMS.get(finding.name) ?? null })),
    ...expectations.map((finding) => ({ finding, claim: 'Expected by the scenario, or by the drill of itself.' })),
  ];
  const inOrder = all.toSorted(
    (one, other) => SEVERITY.indexOf(one.finding.verdict) - SEVERITY.indexOf(other.finding.verdict),
  );
  const applicable = inOrder.filter(({ finding }) => finding.verdict !== 'not_applicable');
  const others = inOrder.filter(({ finding }) => finding.verdict === 'not_applicable');
  const rest =
    others.length === 0
      ? null
      : markup`<details><summary>Not applicable in this drill (${others.length})</summary><ul class="findings">${others.map(({ finding, claim }) => item(finding, claim))}</ul></details>`;
  return markup`<ul class="findings">${applicable.map(({ finding, claim }) => item(finding, claim))}</ul>${rest}`;
}

function item(finding: PropertyFinding, claim: string | null): Markup {
  const { name, verdict, reason } = finding;
  return markup`<li id="finding-${name}"><div class="finding-head">${verdictBadge(verdict)} <code>${name}</code></div><div class="finding-body"><p>${reason}</p>${more(finding, claim)}</div></li>`;
}

/** What the claim is and what shows it; open where somebody will have to look. */
function more({ evidence, verdict }: PropertyFinding, claim: string | null): Markup | null {
  const told = Object.entries(evidence);
  if (told.length === 0 && claim === null) return null;
  const pairs = told.map(([name, value]) => markup`<dt>${name}</dt><dd>${valueText(value)}</dd>`);
  const word = told.length === 0 ? 'What it claims' : 'Evidence';
  const isOpen = verdict === 'fail' || verdict === 'error';
  const body = markup`<summary>${word}</summary>${claim === null ? null : markup`<p class="claim">${claim}</p>`}${pairs.length === 0 ? null : markup`<dl class="facts">${pairs}</dl>`}`;
  return isOpen ? markup`<details open>${body}</details>` : markup`<details>${body}</details>`;
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
  if (text.length <= MOST_EVIDENCE_CHARS) return text;
  return `${text.slice(0, MOST_EVIDENCE_CHARS)} … (${text.length - MOST_EVIDENCE_CHARS} characters more are in verdict.json)`;
}
