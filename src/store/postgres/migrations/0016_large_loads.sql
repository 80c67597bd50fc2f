-- Loads of any size. One answer with 100,000 open engagements took PostgreSQL longer than a statement may take, most of it
-- for the one JSON document: a worker that started then was refused for ever, and denied for ever.

-- What is open, in the order in which it was opened, as a load and an operator read it.
create index engagement_loaded on engagement (namespace, opened_revision) where closed_revision is null;

-- What was closed, and by what, since the newest signed head, or ever: as in load_proven of 0010.
create function released_json(p_namespace text, p_all boolean) returns json language sql stable as $$
  with since as (
    select s.* from head_signature s join head h on s.namespace = h.namespace and s.epoch = h.epoch
    join flip f on f.namespace = s.namespace and f.revision = s.revision and f.hash = s.hash
    where s.namespace = p_namespace and not p_all order by s.revision desc, s.at limit 1),
  closings as (
    select e.closed_revision as revision, json_agg(flip_json(f) order by f.revision) as stops
    from engagement e join flip f on f.namespace = e.namespace and f.revision = e.opened_revision
    where e.namespace = p_namespace and e.closed_revision > coalesce((select revision from since), 0)
    group by e.closed_revision)
  select json_build_object(
    'since', (select signed_head_json(since) from since),
    'releases', coalesce((
      select json_agg(jsonb_build_object('closed', c.stops) || flip_json(r)::jsonb order by r.revision)
      from closings c join flip r on r.namespace = p_namespace and r.revision = c.revision), '[]'))
$$;

-- Begins a load within a transaction of the caller's: the head, and a cursor on everything that is open, which the caller
-- fetches page by page, each within the time of a statement. STABLE is what keeps it true: all that a stable function reads,
-- cursors that it opens included, it reads in the snapshot of the statement that called it.
create function begin_load(p_namespace text, p_proof text) returns json
language plpgsql stable security definer set search_path from current as $$
declare
  h head;
  killdrill_load refcursor := 'killdrill_load';
begin
  perform guard();
  select * into h from head where namespace = p_namespace;
  if not found then perform head_of(p_namespace); end if;
  open killdrill_load no scroll for
    -- As the driver reads numbers; exact as far as JavaScript's are.
    select f.epoch, f.revision::double precision as revision, f.hash, f.text, f.signature
    from engagement e join flip f on f.namespace = e.namespace and f.revision = e.opened_revision
    where e.namespace = p_namespace and e.closed_revision is null
    order by e.opened_revision;
  return json_build_object('head', head_json(h), 'ageMs', age_ms(), 'critical', critical_capabilities(h.namespace),
    'released', case when p_proof <> 'none' then released_json(p_namespace, p_proof = 'all') end);
end $$;

-- Nothing asks for it in one piece any more.
drop function load_proven(text, boolean);

grant execute on function begin_load(text, text) to killdrill_worker, killdrill_flipper;

-- As in 0011, with an order. Without one the planner takes "one row of an incarnation that has very many" for a scan of the
-- table, which reads all that was journaled before that incarnation's first row: 8 ms each over 240,000 rows, and more with
-- every row.
create or replace function journaled_incarnations(p_namespace text) returns setof text language sql stable as $$
  with recursive hop(incarnation) as (
    (select i.incarnation from intent i order by i.incarnation limit 1)
    union all
    select (select i.incarnation from intent i where i.incarnation > hop.incarnation order by i.incarnation limit 1)
    from hop where hop.incarnation is not null
  )
  select hop.incarnation from hop
  where hop.incarnation is not null
    and (select i.namespace from intent i where i.incarnation = hop.incarnation order by i.seq limit 1) = p_namespace
$$;

-- As in 0011, in one query for each incarnation: asked intent by intent, `stops_intent` was made ready anew for each of them.
create or replace function open_in_scope(e engagement, p_except text[]) returns jsonb language plpgsql as $$
declare
  until constant timestamptz := clock_timestamp() + interval '250 milliseconds';
  critical constant jsonb := critical_capabilities(e.namespace);
  most constant integer := 1000;
  one text;
  open jsonb := '[]';
  unread jsonb := '[]';
begin
  -- A crash that forgets how far somebody looked costs another look: nobody waits for the disk.
  perform set_config('synchronous_commit', 'off', true);
  for one in select j from journaled_incarnations(e.namespace) as j where j <> all (p_except) loop
    if not look_through(one, until) then unread := unread || to_jsonb(one); end if;
    continue when jsonb_array_length(open) >= most;
    open := open || (select coalesce(jsonb_agg(found.intent), '[]') from (
      select jsonb_build_object('incarnation', one, 'seq', i.seq, 'run', i.run, 'capability', i.capability,
        'deadlineMs', i.deadline_ms, 'isPastDeadline', clock_timestamp() > i.at + i.deadline_ms * interval '1 millisecond') as intent
      from open_intents(one) as i where stops_intent(e, i, critical)
      limit most - jsonb_array_length(open)) as found);
  end loop;
  return jsonb_build_object('open', open, 'unread', unread);
end $$;
