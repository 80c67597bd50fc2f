import { createHash } from 'node:crypto';
import { indexOf } from '../../checkers/index-of.ts';
import type { DrillIndex } from '../../checkers/index-of.ts';
import type { DrillRecord } from '../../drill/drill.ts';
import { distribution } from './distribution.ts';
import { environmentSection } from './environment-section.ts';
import { findings } from './findings.ts';
import { ledgerSection } from './ledger-section.ts';
import { markup, trusted } from './markup.ts';
import type { Markup } from './markup.ts';
import { queueSection } from './queue-section.ts';
import type { IndexedInput, ReportInput } from './report-input.ts';
import { REPORT_SCRIPT } from './script.ts';
import { REPORT_STYLE } from './style.ts';
import { summary } from './summary.ts';
import { timeline } from './timeline.ts';
import { LOOKS } from './verdict-badge.ts';

/** The report runs its own script and style and nothing else, and fetches nothing. */
const POLICY = [
  "default-src 'none'",
  `script-src '${sourceHash(REPORT_SCRIPT)}'`,
  `style-src '${sourceHash(REPORT_STYLE)}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const SECTIONS: readonly (readonly [id: string, title: string, body: (input: IndexedInput) => Markup])[] = [
  ['timeline', 'Timeline', timeline],
  ['times', 'Time to stop', ({ judgement, record }) => distribution(judgement, record.scenario.expect)],
  ['queue', 'Queue', queueSection],
  ['properties', 'Properties and expectations', ({ judgement }) => findings(judgement)],
  ['ledger', 'Ledger', ({ record }) => ledgerSection(record)],
  ['environment', 'Environment', environmentSection],
];

/**
 * `report.html`: one file that fetches nothing, for screens, paper and readers of screens. The same record and judgement
 * give the same bytes.
 */
export function renderHtml(given: ReportInput): string {
  const input: IndexedInput = { ...given, index: indexOrNull(given.record) };
  const { judgement } = input;
  const title = `${LOOKS[judgement.verdict].word}: ${judgement.scenario}`;
  const sections = SECTIONS.map(
    ([id, name, body]) =>
      markup`<section class="card" aria-labelledby="${id}"><h2 id="${id}">${name}</h2>${body(input)}</section>
`,
  );
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · killdrill</title>
<style>${trusted(REPORT_STYLE)}</style>
</head>
<body>
<a class="skip" href="#timeline">Skip to the timeline</a>
<div class="wrap">
${summary(input)}
<nav aria-label="Sections"><ul>${SECTIONS.map(([id, name]) => markup`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main>
${sections}</main>
${footer(input)}
</div>
<script>${trusted(REPORT_SCRIPT)}</script>
</body>
</html>
`;
  return page.html;
}

function footer(input: IndexedInput): Markup {
  const again = `killdrill run ./scenario.yaml --environment ${input.judgement.environment}`;
  return markup`<footer>${notes(input)}<p>To judge this run anew: <code>killdrill check .</code> in its folder. To run it again: <code>${again}</code>.</p></footer>`;
}

function notes({ judgement }: IndexedInput): readonly Markup[] {
  return judgement.notes.map((note) => markup`<p>Note: ${note}</p>`);
}

/** A record that cannot be looked up still has its judgement, an error, and that is shown. */
function indexOrNull(record: DrillRecord): DrillIndex | null {
  try {
    return indexOf(record);
  } catch {
    return null;
  }
}

function sourceHash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
