import type { DrillRecord } from '../../drill/drill.ts';
import type { EventOf } from '../../history/event.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';

type Row = EventOf<'store.ledger'>;

const MOST_UNKNOWN = 50;

/** What landed and what nobody knows of, by capability, from the runtime's ledger as the harness read it at the end. */
export function ledgerSection({ events }: Pick<DrillRecord, 'events'>): Markup {
  const rows = events.filter((event): event is Row => event.type === 'store.ledger');
  if (rows.length === 0) return markup`<p>The ledger holds nothing, or was not read.</p>`;
  const capabilities = [...new Set(rows.map(({ capability }) => capability))].toSorted();
  const lines = capabilities.map((capability) =>
    line(
      capability,
      rows.filter((row) => row.capability === capability),
    ),
  );
  const head = ['capability', 'access', 'landed', 'unknown', 'compensated'];
  return markup`<div class="scroll" role="region" aria-label="Ledger" tabindex="0"><table class="narrow"><thead><tr>${head.map((name, nth) => (nth < 2 ? markup`<th scope="col">${name}</th>` : markup`<th scope="col" class="num">${name}</th>`))}</tr></thead><tbody>${lines}${sumLine(rows)}</tbody></table></div>${unknownList(rows)}`;
}

function numbers(rows: readonly Row[]): Markup {
  const landed = rows.filter(({ outcome }) => outcome === 'landed').length;
  const compensated = rows.filter(({ compensation }) => compensation !== null).length;
  return markup`<td class="num">${landed}</td><td class="num">${rows.length - landed}</td><td class="num">${compensated}</td>`;
}

function line(capability: string, rows: readonly Row[]): Markup {
  const access = [...new Set(rows.map((row) => row.access))].toSorted().join(', ');
  return markup`<tr><th scope="row"><code>${capability}</code></th><td>${access}</td>${numbers(rows)}</tr>`;
}

function sumLine(rows: readonly Row[]): Markup {
  return markup`<tr class="sum"><th scope="row">in all</th><td></td>${numbers(rows)}</tr>`;
}

function unknownList(rows: readonly Row[]): Markup | null {
  const unknown = rows.filter(({ outcome }) => outcome === 'unknown');
  if (unknown.length === 0) return null;
  const shown = unknown
    .slice(0, MOST_UNKNOWN)
    .map(
      ({ incarnation, intent, run, capability, key }) =>
        markup`<tr><td><code>${incarnation}/${intent}</code></td><td>${run}</td><td><code>${capability}</code></td><td><code>${key}</code></td></tr>`,
    );
  const more =
    unknown.length > MOST_UNKNOWN
      ? markup`<p class="note">${unknown.length - MOST_UNKNOWN} more are in history.jsonl.gz.</p>`
      : null;
  return markup`<details><summary>Nobody knows whether these landed (${unknown.length})</summary><div class="scroll" role="region" aria-label="Unknown effects" tabindex="0"><table><thead><tr><th scope="col">intent</th><th scope="col">run</th><th scope="col">capability</th><th scope="col">key</th></tr></thead><tbody>${shown}</tbody></table></div>${more}</details>`;
}
