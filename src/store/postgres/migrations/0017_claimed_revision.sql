-- A stop that was over when a run was claimed has no hold on it. A worker that has not heard of a release yet goes on refusing
-- what the stop covers, and rightly so; but what is claimed after the release is no work of before, and a refusal of it out
-- of ignorance must not discard or park it: it waits for another turn.

-- The head's revision at its last claim, read under the fence's lock; null for one that was never claimed since 0017.
alter table task add column claimed_revision bigint;

-- As in 0006, and it notes the revision.
create or replace function claim(p_namespace text, p_incarnation text, p_limit integer, p_claim_ms double precision) returns jsonb
language plpgsql security definer set search_path from current
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off
set jit = off as $$
declare
  most constant integer := 500;
  wanted constant integer := least(p_limit, most);
  claimed text[] := '{}';
  got text[];
  looked_at integer := 0;
  ids text[];
  over text[];
  let_be text[] := '{}';
  moment timestamptz;
  now_at bigint;
begin
  perform guard();
  -- No flip commits from here to the end; the statements below see each one before it.
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  moment := clock_timestamp();
  now_at := coalesce((select h.revision from head h where h.namespace = p_namespace), 0);
  while cardinality(claimed) < wanted and looked_at < most loop
    -- A row that another claimant has taken since this statement began stays locked by us to the end, although it is not
    -- ours to have (PostgreSQL checks it after locking it): that lock must not be one that keeps its claimant's intents out.
    select coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.id) filter (where c.claim_token is not null), '{}') into ids, over
    from (select t.id, t.claim_token from task t
      where t.namespace = p_namespace and t.ready_at <= moment and t.id <> all (let_be)
      -- Each round may look at as many as all before it together.
      order by t.ready_at, t.id limit least(greatest(wanted - cardinality(claimed), looked_at), most - looked_at)
      for no key update of t skip locked) as c;
    exit when ids = '{}';
    looked_at := looked_at + cardinality(ids);
    if over <> '{}' then
      -- A claim that is over: nothing more gets in under it from here on, and the next statement sees all that did. One
      -- that something gets in under just now is let be.
      select array(select unnest(over) except select o.id from (
        select t.id from task t where t.namespace = p_namespace and t.id = any (over) for update of t skip locked) as o) into over;
      let_be := let_be || over;
    end if;
    with candidate as materialized (
      select t.id, t.ready_at, t.claim_token, r.doomed, r.halted
      from task t cross join lateral ruling(t.namespace, t.keys, t.halted_by, t.admitted_revision, t.critical, moment) as r
      where t.namespace = p_namespace and t.id = any (ids) and t.id <> all (let_be)
    ), ruled as (
      select c.*, case
        when c.claim_token is not null and has_open_intent(c.claim_token) then 'unknown' -- it may have happened: never queued again by itself
        when c.doomed or c.halted then waits_as(c.doomed, c.halted)
        else 'running' end as next
      from candidate c
    ), decided as (
      select d.*, count(*) filter (where d.next = 'running') over (order by d.ready_at, d.id rows unbounded preceding) as place
      from ruled d
    ), written as (
      update task t set state = d.next,
        claim_token = case d.next when 'running' then gen_random_uuid() end,
        claim_tokens = case when t.claim_token is null then t.claim_tokens else claims_so_far(t.claim_tokens, t.claim_token) end,
        claimed_by = case d.next when 'running' then p_incarnation else t.claimed_by end,
        claimed_revision = case d.next when 'running' then now_at else t.claimed_revision end,
        claim_deadline = case d.next when 'running' then clock_timestamp() + p_claim_ms * interval '1 millisecond' end,
        attempts = t.attempts + case d.next when 'running' then 1 else 0 end,
        retry = t.retry and d.next <> 'running',
        parked_at = case d.next when 'parked' then moment end,
        ended_at = case when d.next in ('unknown', 'discarded') then clock_timestamp() end
      from decided d
      where t.namespace = p_namespace and t.id = d.id and (d.next <> 'running' or d.place <= wanted - cardinality(claimed))
      returning t.id, t.state
    )
    select coalesce(array_agg(w.id) filter (where w.state = 'running'), '{}') into got from written w;
    claimed := claimed || got;
  end loop;
  if claimed = '{}' and looked_at >= most then return null; end if;
  return (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'token', t.claim_token, 'kind', t.kind, 'run', t.run, 'tenant', t.tenant,
      'feature', t.feature, 'agent', t.agent, 'lineage', t.lineage, 'capability', t.capability, 'plan', t.plan, 'repeat', t.repeat,
      'dueAt', instant(t.due_at), 'skipped', t.skipped, 'attempts', t.attempts - 1, 'admittedRevision', t.admitted_revision,
      'critical', t.critical, 'effects', case when t.claim_tokens = '{}' then '[]' else effects_json(t.claim_tokens) end)
      order by t.due_at, t.id), '[]')
    from task t where t.namespace = p_namespace and t.id = any (claimed));
end $$;

-- As in 0006, but a stop that was closed before the claim is as if nobody had named one.
create or replace function put_back(p_namespace text, p_task text, p_token text, p_engagement text, p_retry_ms double precision) returns text
language plpgsql set enable_seqscan = off as $$
declare
  moment timestamptz;
  held record;
  becomes text;
  met text := p_engagement;
begin
  perform guard();
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  if not lock_claimed(p_namespace, p_task, p_token) then return null; end if;
  moment := clock_timestamp();
  if exists (select from task t join engagement e on e.namespace = t.namespace and e.id = p_engagement and e.closed_revision <= t.claimed_revision
      where t.namespace = p_namespace and t.id = p_task) then
    met := null;
  end if;
  select t.keys, coalesce(met, t.halted_by) as halted_by, t.admitted_revision, t.critical, t.claim_token
    into held from task t where t.namespace = p_namespace and t.id = p_task;
  select case
      when has_open_intent(held.claim_token) then 'unknown'
      when exists (select from engagement e where e.namespace = p_namespace and e.id = met and e.policy = 'discard') then 'discarded'
      else waits_as(r.doomed, r.halted) end into becomes
    from ruling(p_namespace, held.keys, held.halted_by, held.admitted_revision, held.critical, moment) as r;
  update task t set state = becomes, claim_token = null, claim_deadline = null, claim_tokens = claims_so_far(t.claim_tokens, t.claim_token),
    halted_by = held.halted_by,
    attempts = t.attempts - case when p_retry_ms is null then 1 else 0 end,
    retry = p_retry_ms is not null and becomes <> 'unknown',
    due_at = case when p_retry_ms is null or becomes = 'unknown' then t.due_at else moment + p_retry_ms * interval '1 millisecond' end,
    parked_at = case becomes when 'parked' then moment end,
    ended_at = case when becomes in ('unknown', 'discarded') then moment end
  where t.namespace = p_namespace and t.id = p_task;
  return becomes;
end $$;
