-- What a stop would hit (DESIGN §9): read in one snapshot, without any lock that a flip or an intent waits for.

-- Calls that are in flight are found by their age. BRIN: next to nothing for whoever adds an intent.
create index intent_at on intent using brin (at) with (pages_per_range = 16, autosummarize = on);

-- Whether a capability is one of those that the operator declared critical.
create function is_critical(p_namespace text, p_capability text) returns boolean language sql stable as $$
  select exists (
    select from jsonb_array_elements_text((
      select r.capabilities from critical_rules r where r.namespace = p_namespace order by r.id desc limit 1)) as pattern
    where case when right(pattern, 2) = '/*' then starts_with(p_capability, left(pattern, -1)) else pattern = p_capability end)
$$;

-- Stable: all of it sees what the caller's statement sees. Calls that began longer ago than p_window_ms are not looked at.
-- A call is overdue when it has no outcome and its deadline has passed: it may have happened, and no stop reaches it.
create function preview_stop(p_namespace text, p_scope text, p_target text, p_mode text, p_window_ms double precision,
  p_narrower integer) returns jsonb language plpgsql stable security definer set search_path from current set jit = off as $$
declare
  asked constant text := p_scope || ':' || p_target;
  scopes constant text[] := array['global', 'tenant', 'feature', 'capability', 'agent', 'run'];
  milder constant boolean := p_mode = 'halt_noncritical';
  moment constant timestamptz := statement_timestamp();
  answer jsonb;
begin
  perform guard();
  perform head_of(p_namespace);
  with live as materialized (
    select t.keys, t.run, case when t.state = 'running' then t.claimed_by end as worker, t.state, t.kind, t.retry,
      'task' as what, false as writes, milder and t.critical as passes
    from task t where t.namespace = p_namespace and t.state in ('queued', 'running', 'parked')
    union all
    select switch_keys(i.tenant, i.feature, i.agent, i.run, i.lineage, i.capability), i.run, i.incarnation, null, null, null,
      case when i.at + i.deadline_ms * interval '1 millisecond' >= moment then 'call' else 'overdue' end, i.access = 'write',
      milder and (is_critical(p_namespace, i.capability)
        or exists (select from task t where t.namespace = p_namespace and t.id = i.task and t.critical))
    from intent i
    where i.namespace = p_namespace and i.at > moment - p_window_ms * interval '1 millisecond'
      and not exists (select from outcome o where o.incarnation = i.incarnation and o.seq = i.seq)
  ), covered as materialized (
    select * from live where keys @> array[asked]
  ), hit as materialized (
    select * from covered where not passes
  ), candidate as (
    -- What is narrower than what was asked for; of a capability, what is below it too.
    select k.key, count(*) as items, array_position(scopes, split_part(k.key, ':', 1)) as width
    from hit, unnest(hit.keys) as k (key)
    where hit.what <> 'overdue' and k.key <> asked
      and (array_position(scopes, split_part(k.key, ':', 1)) > array_position(scopes, p_scope)
        or p_scope = 'capability' and starts_with(k.key, left(asked, -1)))
    group by k.key
  ), best as materialized (
    -- The smallest that is enough comes first: what hits most and, among equals, what is narrowest.
    select key, items, width, length(key) as depth from (
      select c.*, row_number() over (partition by width order by items desc, length(key) desc, key) as nth from candidate c
    ) as c where nth <= 3 order by items desc, width desc, length(key) desc, key limit p_narrower
  ), counted as (
    select null as key, h.* from hit h union all select b.key, h.* from best b join hit h on h.keys @> array[b.key]
  ), sums as (
    select key, jsonb_build_object(
      'runs', count(distinct run) filter (where what <> 'overdue'),
      'workers', count(distinct worker) filter (where what <> 'overdue'),
      'inFlight', count(*) filter (where what = 'call'),
      'writesInFlight', count(*) filter (where what = 'call' and writes),
      'overdue', count(*) filter (where what = 'overdue'),
      'running', count(*) filter (where state = 'running'),
      'queued', count(*) filter (where state = 'queued'),
      'parked', count(*) filter (where state = 'parked'),
      'timers', count(*) filter (where kind = 'timer' and state = 'queued'),
      'retries', count(*) filter (where retry and state = 'queued')) as hits
    from counted group by key
  )
  select jsonb_build_object(
    'hits', coalesce((select hits from sums where key is null), '{"runs": 0, "workers": 0, "inFlight": 0, "writesInFlight": 0,
      "overdue": 0, "running": 0, "queued": 0, "parked": 0, "timers": 0, "retries": 0}'),
    'passes', (select count(*) from covered where passes),
    'alreadyOpen', (select count(*) from engagement e where e.namespace = p_namespace and e.closed_revision is null
      and e.key in (asked, 'global:*')),
    'narrower', (select coalesce(jsonb_agg(jsonb_build_object('scope', split_part(b.key, ':', 1),
        'target', substr(b.key, strpos(b.key, ':') + 1), 'items', b.items, 'hits', s.hits)
        order by b.items desc, b.width desc, b.depth desc, b.key), '[]') from best b join sums s using (key)),
    'items', (select count(*) from hit where what <> 'overdue'))
    into answer;
  return answer || jsonb_build_object('head', head_json(head_of(p_namespace)));
end $$;

grant execute on function preview_stop(text, text, text, text, double precision, integer) to killdrill_flipper;
