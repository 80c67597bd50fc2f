import { DEFAULT_SCHEMA } from '../../src/store/postgres/options.ts';
import type { Session } from '../../src/store/postgres/session.ts';
import type { Switch } from '../../src/switch.ts';
import type { StoredStop } from '../conductor/runaways.ts';

const REVISION = `select revision::int from ${DEFAULT_SCHEMA}.flip where namespace = $1 and id = $2`;
const STOPS_ON = `select revision::int, text from ${DEFAULT_SCHEMA}.flip
  where namespace = $1 and kind = 'stop' and scope = $2 and target = $3 and revision > $4 order by revision`;
const RECORDED = `select
    count(distinct content) filter (where content = any($2))::int as sound,
    count(*) filter (where kind = 'poison')::int as poison
  from ${DEFAULT_SCHEMA}.alert_record where namespace = $1`;

/** The revision of a flip; null while the store does not have it. */
export async function revisionOf(owner: Session, namespace: string, id: string): Promise<number | null> {
  const [row] = await owner.use('flip', (ask) => ask(REVISION, [namespace, id]));
  return row === undefined ? null : Number(row['revision']);
}

/** The stops of a switch that came after a revision, in their order. */
export async function stopsOn(
  owner: Session,
  namespace: string,
  { scope, target }: Switch,
  afterRevision: number,
): Promise<readonly StoredStop[]> {
  const rows = await owner.use('stops', (ask) => ask(STOPS_ON, [namespace, scope, target, afterRevision]));
  return rows.map(({ revision, text }) => ({ revision: Number(revision), text: String(text) }));
}

const CLOSED_BY = `select f.id, f.revision::int from ${DEFAULT_SCHEMA}.engagement e
  join ${DEFAULT_SCHEMA}.flip f on f.namespace = e.namespace and f.revision = e.closed_revision
  where e.namespace = $1 and e.id = any($2)`;

/** The release that closed these engagements, all of them; null while there is none. */
export async function releaseOf(
  owner: Session,
  namespace: string,
  engagements: readonly string[],
): Promise<{ readonly id: string; readonly revision: number } | null> {
  const rows = await owner.use('release', (ask) => ask(CLOSED_BY, [namespace, [...engagements]]));
  const [first] = rows.map((row) => ({ id: String(row['id']), revision: Number(row['revision']) }));
  if (first === undefined || rows.length < engagements.length) return null;
  return rows.every((row) => row['id'] === first.id) ? first : null;
}

/** How many of these contents (sha256, hex) the store has on record, and how many poisoned alerts. */
export async function recordedAlerts(
  owner: Session,
  namespace: string,
  contents: readonly string[],
): Promise<{ readonly sound: number; readonly poison: number }> {
  const [row] = await owner.use('recorded alerts', (ask) => ask(RECORDED, [namespace, [...contents]]));
  return { sound: Number(row?.['sound'] ?? 0), poison: Number(row?.['poison'] ?? 0) };
}
