import { FLEET_SCRIPT, PREVIEW_SCRIPT } from './page-fleet-script.ts';

/** What the page does beyond reading: it follows events, stops and releases. Text only ever goes into text nodes. */
export const PAGE_SCRIPT = `'use strict';
const byId = (id) => document.getElementById(id);
const rows = byId('rows');
const said = (id, text, isBad) => { const at = byId(id); at.textContent = text; at.className = isBad ? 'bad' : 'good'; };
const cell = (row, label, text) => {
  const td = document.createElement('td');
  td.dataset.label = label;
  td.textContent = text;
  row.append(td);
  return td;
};
${FLEET_SCRIPT}
const rowOf = (id) => [...rows.children].find((row) => row.dataset.id === id);
function show(stop) {
  const row = document.createElement('tr');
  row.dataset.id = stop.id;
  const pick = document.createElement('input');
  pick.type = 'checkbox';
  pick.value = stop.id;
  pick.setAttribute('aria-label', 'release ' + stop.id);
  const was = rowOf(stop.id);
  pick.checked = was !== undefined && was.querySelector('input').checked;
  cell(row, 'release', '').append(pick);
  cell(row, 'switch', stop.scope + ':' + stop.target);
  cell(row, 'mode', stop.mode + ', ' + stop.queue);
  cell(row, 'fleet', progress(stop.id));
  cell(row, 'why', stop.reason);
  cell(row, 'by', stop.triggeredBy + ' (' + stop.source + ')');
  cell(row, 'taken', stop.at);
  cell(row, 'record', stop.revision === null ? 'NOT DURABLE YET' : 'revision ' + stop.revision);
  cell(row, 'id', stop.id);
  if (was === undefined) rows.append(row);
  else was.replaceWith(row);
}
function count() {
  const open = rows.children.length;
  byId('open').textContent = open === 0 ? 'Nothing is stopped.' : open + ' open';
}
function state(now) {
  byId('head').textContent = now.head === null ? 'nothing loaded yet' : 'revision ' + now.head.revision;
  said('verified', now.verified ? 'verified' : 'UNVERIFIED: the store does not answer, there may be more', !now.verified);
}
const events = new EventSource('events');
events.addEventListener('switches', ({ data }) => {
  const now = JSON.parse(data);
  const ids = new Set(now.engagements.map(({ id }) => id));
  for (const row of [...rows.children]) if (!ids.has(row.dataset.id)) row.remove();
  now.engagements.forEach(show);
  state(now);
  count();
  said('live', 'live', false);
});
events.addEventListener('stop', ({ data }) => { show(JSON.parse(data)); count(); });
events.addEventListener('release', ({ data }) => { rowOf(JSON.parse(data).id)?.remove(); count(); });
events.addEventListener('state', ({ data }) => state(JSON.parse(data)));
events.addEventListener('fleet', ({ data }) => showFleet(JSON.parse(data)));
events.onerror = () => said('live', 'CONNECTION LOST: what you see may be old', true);
async function send(path, key, body) {
  const headers = { 'content-type': 'application/json', 'x-api-key': key };
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), redirect: 'error' });
  return { status: answer.status, json: await answer.json() };
}
function onSubmit(id, work) {
  byId(id).addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = event.target.querySelector('button');
    button.disabled = true;
    said(id + '-said', 'asked; not answered yet', false);
    try {
      const [text, isBad] = await work(new FormData(event.target));
      said(id + '-said', text, isBad);
    } catch (error) {
      said(id + '-said', 'NO ANSWER (' + error.message + '): nobody knows whether it was taken; look at what is open', true);
    }
    button.disabled = false;
  });
}
onSubmit('stop', async (form) => {
  const scope = form.get('scope');
  const body = { scope, mode: form.get('mode'), queue: form.get('queue'), reason: form.get('reason') };
  if (form.get('by') !== '') body.by = form.get('by');
  if (scope !== 'global') body.target = form.get('target');
  const { status, json } = await send('halt', form.get('key'), body);
  if (status === 200) return ['Durable at revision ' + json.revision + '. Accepted is not stopped: see who has confirmed.', false];
  if (status === 202) return ['NOT DURABLE (' + json.why + '). It is enforced here and sent until it is stored.', true];
  return [json.detail + (json.field ? ' (' + json.field + ')' : ''), true];
});
onSubmit('release', async (form) => {
  const engagements = [...rows.querySelectorAll('input:checked')].map(({ value }) => value);
  if (engagements.length === 0) return ['Tick what is to be released in the list above.', true];
  const body = { engagements, reason: form.get('reason') };
  if (form.get('by') !== '') body.by = form.get('by');
  const { status, json } = await send('release', form.get('key'), body);
  if (status === 200) return ['Released at revision ' + json.revision + ': ' + json.closed.length + '.', false];
  return [json.detail + (json.field ? ' (' + json.field + ')' : ''), true];
});
${PREVIEW_SCRIPT}
document.body.classList.add('scripted');
`;
