import { createHash } from 'node:crypto';
import { QUEUE_POLICIES, SCOPES, STOP_MODES } from '../../switch.ts';
import { PAGE_SCRIPT } from './page-script.ts';
import { PAGE_STYLE } from './page-style.ts';
import type { FleetPicture, StopProgress } from './fleet-picture.ts';
import { escaped, rowOfCells, tableOf } from './html-text.ts';
import { fleetSection, progressText, provenLine } from './page-fleet.ts';
import type { ControlApiParts } from './parts.ts';
import { switchesOf } from './switches.ts';
import type { EnforcedEngagement } from './switches.ts';

/** The page runs its own script and style and nothing else, and talks to its own server only. */
export const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    `script-src '${sourceHash(PAGE_SCRIPT)}'`,
    `style-src '${sourceHash(PAGE_STYLE)}'`,
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
} as const;

const COLUMNS = ['release', 'switch', 'mode', 'fleet', 'why', 'by', 'taken', 'record', 'id'] as const;

/** What is stopped, for a person: whole without scripts; with them it stays up to date, stops and releases. */
export function pageOf(
  parts: Pick<ControlApiParts, 'namespace' | 'registry' | 'lease'>,
  picture: FleetPicture,
): string {
  const { head, verified, engagements } = switchesOf(parts);
  const progress = new Map(picture.stops.map((one) => [one.id, one]));
  const rows = engagements.map((one) => rowOf(one, progress.get(one.id)));
  const open = engagements.length === 0 ? 'Nothing is stopped.' : `${engagements.length} open`;
  const state = verified
    ? '<span id="verified" class="good">verified</span>'
    : '<span id="verified" class="bad">UNVERIFIED: the store does not answer, there may be more</span>';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(parts.namespace)} · killdrill</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>${escaped(parts.namespace)}</h1>
<p>${state} · <span id="head">${head === null ? 'nothing loaded yet' : `revision ${head.revision}`}</span> <span class="live">· <span id="live">connecting</span></span></p>
${provenLine(picture)}
<noscript><p>Reload for what is new. To stop from here, POST to <code>/halt</code>; <code>/preview?scope=tenant&amp;target=acme</code> shows what it would hit.</p></noscript>
</header>
<main>
<h2>What is stopped</h2>
<p id="open">${open}</p>
${tableOf('rows', COLUMNS, rows)}
${stopForm()}
${releaseForm()}
${fleetSection(picture)}
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

function rowOf(stop: EnforcedEngagement, progress: StopProgress | undefined): string {
  const { id, scope, target, mode, queue, reason, triggeredBy, source, at, revision } = stop;
  const pick = `<input type="checkbox" value="${escaped(id)}" aria-label="release ${escaped(id)}">`;
  const record = revision === null ? 'NOT DURABLE YET' : `revision ${revision}`;
  const by = `${triggeredBy} (${source})`;
  const texts = [`${scope}:${target}`, `${mode}, ${queue}`, progressText(progress), reason, by, at, record, id];
  return rowOfCells(id, COLUMNS, [pick, ...texts.map(escaped)]);
}

function stopForm(): string {
  return `<h2 class="live">Stop</h2>
<form id="stop">
<label>What <select name="scope">${optionsOf(SCOPES, 'global')}</select></label>
<label>Target (not for global) <input name="target" maxlength="300" autocomplete="off"></label>
<label>Mode <select name="mode">${optionsOf(STOP_MODES, 'halt_all')}</select></label>
<label>Queued work <select name="queue">${optionsOf(
    QUEUE_POLICIES.filter((policy) => policy !== 'drain'),
    'discard',
  )}</select></label>
<label>Why <input name="reason" required maxlength="2000" autocomplete="off"></label>
<label>Who <input name="by" maxlength="300" autocomplete="username"></label>
<label>Key that stops <input name="key" type="password" required autocomplete="off"></label>
<button type="button" id="preview-button">What would it hit?</button>
<div id="preview" role="status"></div>
<button>Stop</button>
<output id="stop-said"></output>
</form>`;
}

function releaseForm(): string {
  return `<h2 class="live">Release what is ticked</h2>
<form id="release">
<label>Why <input name="reason" required maxlength="2000" autocomplete="off"></label>
<label>Who <input name="by" maxlength="300" autocomplete="username"></label>
<label>Key that releases <input name="key" type="password" required autocomplete="off"></label>
<button>Release</button>
<output id="release-said"></output>
</form>`;
}

function optionsOf(values: readonly string[], chosen: string): string {
  return values.map((value) => `<option${value === chosen ? ' selected' : ''}>${value}</option>`).join('');
}

function sourceHash(source: string): string {
  return `sha256-${createHash('sha256').update(source, 'utf8').digest('base64')}`;
}
