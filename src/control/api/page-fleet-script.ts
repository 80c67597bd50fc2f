/** The page's half of `page-fleet.ts`: the same words, from the event `fleet`. */
export const FLEET_SCRIPT = `
let picture = { workers: [], stops: [] };
const progress = (id) => {
  const found = picture.stops.find((one) => one.id === id);
  if (found === undefined) return 'not looked at';
  const state = found.state === 'effective' ? 'EFFECTIVE' : found.state;
  const counts = found.confirmed + ' confirmed, ' + found.fenced + ' fenced, ' + found.unconfirmed + ' unconfirmed';
  return [state + ': ' + counts, ...found.missing].join('; ');
};
function showFleet(now) {
  picture = now;
  const { workers, hidden, unseen, proven } = now;
  byId('fleet-why').textContent = unseen === null ? '' : 'NOT SEEN NOW: ' + unseen;
  if (proven !== null) said('proven', proven.text, !proven.isGood);
  byId('fleet-count').textContent = workers.length === 0 ? 'No worker has registered.'
    : hidden === 0 ? workers.length + ' registered' : workers.length + ' shown, and ' + hidden + ' more';
  byId('workers').replaceChildren(...workers.map((one) => {
    const row = document.createElement('tr');
    row.dataset.id = one.incarnation;
    cell(row, 'worker', one.worker);
    cell(row, 'state', one.state);
    cell(row, 'pool', one.pool);
    cell(row, 'version', one.version ?? '-');
    cell(row, 'revision', one.applied ?? '-');
    cell(row, 'seen', one.seenAgoMs === null ? 'never' : (one.seenAgoMs / 1000).toFixed(1) + ' s ago');
    cell(row, 'in flight', one.inFlight);
    cell(row, 'open stops', one.stops.map((stop) => stop.on + ': ' + stop.state).join(', ') || '-');
    return row;
  }));
  for (const row of rows.children) row.querySelector('[data-label=fleet]').textContent = progress(row.dataset.id);
}
`;

/** What a stop would hit, before anybody stops. */
export const PREVIEW_SCRIPT = `
const line = (parent, text, tag = 'p') => {
  const at = document.createElement(tag);
  at.textContent = text;
  parent.append(at);
  return at;
};
function showPreview({ scope, target, mode, preview: found }) {
  const box = byId('preview');
  const { hits } = found;
  box.replaceChildren();
  line(box, mode + ' of ' + scope + ':' + target + ' would hit, at revision ' + found.head.revision + ':');
  const list = document.createElement('ul');
  line(list, hits.runs + ' runs, on ' + hits.workers + ' workers', 'li');
  line(list, hits.inFlight + ' calls in flight, ' + hits.writesInFlight + ' of them writes: aborted', 'li');
  line(list, hits.queued + ' queued tasks (' + hits.timers + ' timers, ' + hits.retries + ' retries)', 'li');
  line(list, hits.running + ' running tasks; ' + hits.parked + ' that another stop holds already', 'li');
  if (hits.overdue > 0) line(list, hits.overdue + ' calls past their deadline without an outcome: no stop reaches these', 'li');
  if (found.passes > 0) line(list, found.passes + ' that it covers would pass: critical', 'li');
  if (found.alreadyOpen > 0) line(list, found.alreadyOpen + ' stops are open on this or on everything already', 'li');
  box.append(list);
  if (found.narrower.length > 0) line(box, 'Narrower stops, the smallest that is enough first:');
  for (const one of found.narrower) {
    const share = found.items === 0 ? 0 : Math.floor((one.items / found.items) * 100);
    const words = one.scope + ' ' + one.target + ': ' + share + ' % of it, ' + one.hits.runs + ' runs, '
      + one.hits.inFlight + ' calls, ' + one.hits.queued + ' queued';
    const pick = line(box, words, 'button');
    pick.type = 'button';
    pick.addEventListener('click', () => {
      const { scope, target } = byId('stop').elements;
      scope.value = one.scope;
      target.value = one.target;
      box.replaceChildren();
      line(box, 'Taken over: ' + one.scope + ':' + one.target + '. Nothing is stopped yet.');
    });
  }
  line(box, 'Nothing is stopped: this was a preview.');
}
byId('preview-button').addEventListener('click', async (event) => {
  const button = event.target;
  const form = new FormData(byId('stop'));
  const query = new URLSearchParams({ scope: form.get('scope'), mode: form.get('mode') });
  if (form.get('scope') !== 'global') query.set('target', form.get('target'));
  const key = form.get('key');
  button.disabled = true;
  byId('preview').textContent = 'counting';
  try {
    const answer = await fetch('preview?' + query, { headers: key === '' ? {} : { 'x-api-key': key }, redirect: 'error' });
    const json = await answer.json();
    if (answer.ok) showPreview(json);
    else byId('preview').textContent = json.detail + (json.field ? ' (' + json.field + ')' : '');
  } catch (error) {
    byId('preview').textContent = 'What it would hit cannot be seen (' + error.message + '). A stop needs no preview.';
  }
  button.disabled = false;
});
`;
