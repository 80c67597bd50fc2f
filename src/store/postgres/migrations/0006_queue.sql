-- The queue (DESIGN §3.11): kinds of tasks, what engagements mean for them, claims, and the sweeps that flips leave behind.
--
-- Everything here that changes a task takes the shared fence lock in one statement and reads the engagements in a later
-- one, so that each change of a task is strictly before or after each flip. Nothing waits for a task that somebody else
-- holds, but a claimant's last word on its own task. Each change of a task's state is one UPDATE.

-- Switches ----------------------------------------------------------------------------------------------------------------

-- The switches that cover somebody, as `scope:target`. The same rule as switchMatches(): a switch covers a task iff its key
-- is one of the task's.
create function switch_keys(p_tenant text, p_feature text, p_agent text, p_run text, p_lineage text[], p_capability text)
returns text[] language sql immutable parallel safe as $$
  select array_remove(array['global:*', 'tenant:' || p_tenant, 'feature:' || p_feature, 'agent:' || p_agent, 'run:' || p_run,
      'capability:' || p_capability], null)
    || array(select 'run:' || ancestor from unnest(p_lineage) as ancestor)
    -- `a/b/c` is below `a/*` and below `a/b/*`.
    || array(select 'capability:' || array_to_string(parts[1:depth], '/') || '/*'
      from string_to_array(p_capability, '/') as parts, generate_series(1, cardinality(parts) - 1) as depth)
$$;

alter table engagement
  add column key text not null generated always as (scope || ':' || target) stored,
  -- The mildest mode only parks, whatever its queue says.
  add column policy text not null generated always as (case when mode = 'halt_noncritical' then 'park' else queue end) stored,
  -- With `drain`: until when what is older than it passes.
  add column drain_until timestamptz,
  -- Hash of the run contract at the stop; null when none was declared.
  add column contract text;
update engagement set drain_until = clock_timestamp() where queue = 'drain';
alter table engagement add check ((queue = 'drain') = (drain_until is not null));
drop index engagement_open;
drop index engagement_discard;
create index engagement_open on engagement (namespace, key) where closed_revision is null;
create index engagement_discard on engagement (namespace, key, opened_revision) where policy = 'discard';
create index engagement_closed on engagement (namespace, closed_revision) where closed_revision is not null;

-- What a flip leaves to be done in the queue. Any process may do it, in pieces, also twice.
create table sweep (
  namespace text not null,
  revision bigint not null,
  -- A stop that drains leaves two: one for what is let in behind it, and one for when the drain is over.
  kind text not null check (kind in ('stop', 'release', 'drain')),
  -- The engagement that was opened; null for a release, which closes those with its revision.
  engagement text,
  not_before timestamptz not null,
  -- Waiting tasks up to this id, in the order of the bytes, are done.
  cursor text not null default '',
  swept bigint not null default 0,
  started_at timestamptz,
  done_at timestamptz,
  primary key (namespace, revision, kind),
  check ((engagement is null) = (kind = 'release'))
);
create index sweep_open on sweep (namespace, revision, not_before) where done_at is null;

-- Tasks -------------------------------------------------------------------------------------------------------------------

alter table task
  drop constraint task_kind_check,
  add constraint task_kind_check check (kind in ('run', 'timer', 'webhook', 'child')),
  alter column class drop not null,
  alter column class drop default,
  -- How it repeats; the store only keeps it.
  add column repeat text,
  -- This occurrence was passed over while the task was parked: a claimant only arranges the next one.
  add column skipped boolean not null default false,
  -- It waits for another attempt.
  add column retry boolean not null default false,
  add column parked_at timestamptz,
  -- The engagement that stopped its run in the midst, as a capability's does; that one covers it too, from then on.
  add column halted_by text,
  -- Claims of this occurrence that are over and under which there are intents, oldest first.
  add column claim_tokens uuid[] not null default '{}',
  -- Why it ended, where the state alone does not tell: `skipped`.
  add column ended_why text,
  add column keys text[] not null generated always as (switch_keys(tenant, feature, agent, run, lineage, capability)) stored;
update task set class = null;
update task set parked_at = clock_timestamp() where state = 'parked';
alter table task
  -- Of a class that the operator declared critical.
  add column critical boolean not null generated always as (class is not null) stored,
  add check ((state = 'parked') = (parked_at is not null)),
  add check (isfinite(due_at));
-- By bytes, so that another collation of the system does not change the order under a sweep's cursor.
create index task_queued on task (namespace, id collate "C") where state = 'queued';
create index task_parked on task (namespace, id collate "C") where state = 'parked';

-- What engagements mean for tasks -----------------------------------------------------------------------------------------

-- Whether an open engagement that covers a task stops it: not what is of a critical class in the mildest mode, and not what
-- is older than it while it drains.
create function stops(e engagement, p_stamp bigint, p_critical boolean, p_now timestamptz) returns boolean
language sql immutable as $$
  select not (e.mode = 'halt_noncritical' and p_critical)
    and not (e.policy = 'drain' and p_stamp < e.opened_revision and p_now < e.drain_until)
$$;

-- The whole of it. Doomed: covered by a discarding engagement that was opened after the task was let in, whether or not
-- that is still open. Halted: covered by an engagement that is open and stops it. A subquery of its callers: PostgreSQL
-- puts its body into them, and then it costs a few index probes.
create function ruling(p_namespace text, p_keys text[], p_halted_by text, p_stamp bigint, p_critical boolean, p_now timestamptz)
returns table (doomed boolean, halted boolean) language sql stable as $$
  select
    exists (select from engagement e where e.namespace = p_namespace and e.policy = 'discard'
        and e.key = any (p_keys) and e.opened_revision > p_stamp)
      or p_halted_by is not null and exists (select from engagement e where e.namespace = p_namespace and e.policy = 'discard'
        and e.id = p_halted_by and e.opened_revision > p_stamp),
    exists (select from engagement e where e.namespace = p_namespace and e.closed_revision is null
        and e.key = any (p_keys) and stops(e, p_stamp, p_critical, p_now))
      or p_halted_by is not null and exists (select from engagement e where e.namespace = p_namespace and e.closed_revision is null
        -- Who was stopped by it in the midst met something that it does let nobody do: its drain is no way round.
        and e.id = p_halted_by and not (e.mode = 'halt_noncritical' and p_critical))
$$;

-- What a task that is to wait waits as.
create function waits_as(p_doomed boolean, p_halted boolean) returns text language sql immutable as $$
  select case when p_doomed then 'discarded' when p_halted then 'parked' else 'queued' end
$$;

-- What a waiting task should be by now. A parked one that nothing holds any more has its own word on a time that passed.
create function next_waiting(p_doomed boolean, p_halted boolean, p_is_over boolean) returns text language sql immutable as $$
  select case when p_doomed then 'discarded' when p_halted then 'parked' when p_is_over then 'done' else 'queued' end
$$;

-- Whether its time passed while it was parked, and it wants to be passed over then.
create function is_skipped(p_past_due text, p_due_at timestamptz, p_parked_at timestamptz, p_now timestamptz) returns boolean
language sql immutable as $$
  select coalesce(p_past_due = 'skip' and p_parked_at < p_due_at and p_due_at <= p_now, false)
$$;

-- The same for one row; for those who look at few.
create or replace function covers(e engagement, t task) returns boolean language sql immutable as $$
  select e.key = any (t.keys) or coalesce(e.id = t.halted_by, false)
$$;
create or replace function is_halted(t task) returns boolean language plpgsql set search_path from current as $$
begin
  return (select r.halted from ruling(t.namespace, t.keys, t.halted_by, t.admitted_revision, t.critical, clock_timestamp()) as r);
end $$;
create or replace function is_doomed(t task) returns boolean language plpgsql set search_path from current as $$
begin
  return (select r.doomed from ruling(t.namespace, t.keys, t.halted_by, t.admitted_revision, t.critical, clock_timestamp()) as r);
end $$;

-- Whether somebody may still be doing something under a claim.
drop function has_open_intent(task);
create function has_open_intent(p_token uuid) returns boolean language sql stable as $$
  select exists (select from intent i
    where i.claim_token = p_token
      and not exists (select from outcome o where o.incarnation = i.incarnation and o.seq = i.seq))
$$;

-- A task's earlier claims, once this one is over too. One without intents is forgotten: a task may be given back for ever.
create function claims_so_far(p_tokens uuid[], p_token uuid) returns uuid[] language sql stable as $$
  select case when exists (select from intent i where i.claim_token = p_token) then p_tokens || p_token else p_tokens end
$$;

-- By key the newest intent under any of these claims, with what became of it. The order is that of the claims and of the
-- claimant's own numbers; no clock decides.
create function effects_json(p_tokens uuid[]) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('key', n.key, 'capability', n.capability, 'outcome', n.outcome)), '[]')
  from (
    select distinct on (i.idempotency_key) i.idempotency_key as key, i.capability, o.kind as outcome
    from unnest(p_tokens) with ordinality as c (token, place)
    join intent i on i.claim_token = c.token
    left join outcome o on o.incarnation = i.incarnation and o.seq = i.seq
    order by i.idempotency_key, c.place desc, i.seq desc
  ) as n
$$;

-- Into the queue ----------------------------------------------------------------------------------------------------------

drop function enqueue(text, double precision, text, bigint, text, text[], text[], text[], text[], text[], text[], text[], text[]);
create function enqueue(p_namespace text, p_minimum_age_ms double precision, p_epoch text, p_revision bigint, p_hash text,
  p_ids text[], p_kinds text[], p_runs text[], p_tenants text[], p_features text[], p_agents text[], p_lineages text[],
  p_capabilities text[], p_plans text[], p_due_in_ms double precision[], p_due_at text[], p_past_dues text[], p_repeats text[])
returns jsonb language plpgsql security definer set search_path from current set enable_seqscan = off as $$
declare
  verdict fence_verdict := fence(p_namespace, p_minimum_age_ms, p_epoch, p_revision, p_hash);
  b record;
  t task;
  began constant timestamptz := clock_timestamp();
  moment timestamptz;
begin
  if verdict.kind <> 'admitted' then return verdict.answer; end if;
  -- In one order, so that two who queue the same tasks never wait for each other; due in the order that they came in.
  for b in select * from unnest(p_ids, p_kinds, p_runs, p_tenants, p_features, p_agents, p_lineages, p_capabilities, p_plans,
      p_due_in_ms, p_due_at, p_past_dues, p_repeats) with ordinality
    as u (id, kind, run, tenant, feature, agent, lineage, capability, plan, due_in_ms, due_at, past_due, repeat, place)
    order by u.id, u.place
  loop
    moment := began + (b.place - 1) * interval '1 microsecond';
    t := null;
    t.namespace := p_namespace; t.id := b.id; t.kind := b.kind; t.run := b.run; t.tenant := b.tenant; t.feature := b.feature;
    t.agent := b.agent; t.lineage := b.lineage::text[]; t.capability := b.capability;
    -- The store's word, never the caller's.
    t.class := class_of(p_namespace, t);
    insert into task (namespace, id, kind, class, run, tenant, feature, agent, lineage, capability, plan, repeat, past_due,
      admitted_revision, created_at, due_at, state, parked_at)
    select p_namespace, b.id, b.kind, t.class, b.run, b.tenant, b.feature, b.agent, t.lineage, b.capability, b.plan::jsonb, b.repeat,
      b.past_due, verdict.revision, moment, coalesce(b.due_at::timestamptz, moment + b.due_in_ms * interval '1 millisecond'),
      waits_as(r.doomed, r.halted), case waits_as(r.doomed, r.halted) when 'parked' then moment end
    from ruling(p_namespace, switch_keys(b.tenant, b.feature, b.agent, b.run, t.lineage, b.capability), null, verdict.revision,
      t.class is not null, moment) as r
    on conflict (namespace, id) do nothing;
  end loop;
  return verdict.answer || '{"disowned": []}';
end $$;

-- Claims ------------------------------------------------------------------------------------------------------------------

-- Settles what may not run and claims what may, longest ready first. Looks at no more than 500 rows, so that a stop never
-- waits for a queue; a claimant that got less than it wanted asks again. Null: all that it looked at had to be settled, and
-- what may run may lie behind it; it is to be asked again at once. Each call settles what it looks at, so that it gets there. Plans that would read a whole table are ruled out:
-- what was a good plan for an empty queue must not be kept for a long one.
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
begin
  perform guard();
  -- No flip commits from here to the end; the statements below see each one before it.
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  moment := clock_timestamp();
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

-- Locks a task for its claimant's last word: in two steps, so that the lock that waits for a fence which is just letting in
-- an intent under the same claim (FOR KEY SHARE) is never taken by one whose claim is another's by now.
create or replace function lock_claimed(p_namespace text, p_task text, p_token text) returns boolean language plpgsql as $$
begin
  perform from task where namespace = p_namespace and id = p_task and state = 'running' and claim_token::text = p_token for no key update;
  if not found then return false; end if;
  perform from task where namespace = p_namespace and id = p_task for update;
  return true;
end $$;

-- As Date.prototype.toISOString() has it.
create function instant(p_at timestamptz) returns text language sql stable as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- Prolongs claims; answers the tasks of those that still hold. A claim that is over and was not handed on holds.
create function extend(p_namespace text, p_tasks text[], p_tokens text[], p_claim_ms double precision) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  held text[];
begin
  perform guard();
  with mine as materialized (
    select t.id from task t join unnest(p_tasks, p_tokens) as c (task, token) on t.id = c.task and t.claim_token::text = c.token
    where t.namespace = p_namespace and t.id = any (p_tasks) and t.state = 'running'
    order by t.id for no key update of t
  ), written as (
    update task t set claim_deadline = clock_timestamp() + p_claim_ms * interval '1 millisecond'
    from mine where t.namespace = p_namespace and t.id = mine.id returning t.id
  )
  select array_agg(id) into held from written;
  return to_jsonb(coalesce(held, '{}'));
end $$;

drop function finish(text, text, text, text);
create function finish(p_namespace text, p_task text, p_token text, p_end text, p_again_at text default null) returns boolean
language plpgsql security definer set search_path from current set enable_seqscan = off as $$
declare
  moment timestamptz;
  held record;
  becomes text;
begin
  perform guard();
  if p_end not in ('done', 'failed', 'unknown') then
    raise exception using errcode = 'KD000', detail = 'TASK_END_UNKNOWN',
      message = format('a task cannot end as %L; expected done, failed or unknown', p_end);
  end if;
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  if not lock_claimed(p_namespace, p_task, p_token) then return false; end if;
  moment := clock_timestamp();
  select t.keys, t.halted_by, t.admitted_revision, t.critical, t.repeat into held from task t where t.namespace = p_namespace and t.id = p_task;
  if p_again_at is null or held.repeat is null or p_end = 'unknown' then
    update task t set state = p_end, claim_token = null, claim_deadline = null, ended_at = moment,
      claim_tokens = claims_so_far(t.claim_tokens, t.claim_token)
    where t.namespace = p_namespace and t.id = p_task;
    return true;
  end if;
  select waits_as(r.doomed, r.halted) into becomes
    from ruling(p_namespace, held.keys, held.halted_by, held.admitted_revision, held.critical, moment) as r;
  -- What this occurrence did, the next one is to do again: it begins without claims.
  update task t set state = becomes, claim_token = null, claim_deadline = null, claim_tokens = '{}', attempts = 0, skipped = false,
    due_at = p_again_at::timestamptz,
    parked_at = case becomes when 'parked' then moment end, ended_at = case becomes when 'discarded' then moment end
  where t.namespace = p_namespace and t.id = p_task;
  return true;
end $$;

-- The claimant lets go of a task that is not at its end; the store decides what becomes of it. A retry (p_retry_ms) spends
-- the attempt, a refusal does not. Null when the claim is no longer the caller's.
create function put_back(p_namespace text, p_task text, p_token text, p_engagement text, p_retry_ms double precision) returns text
language plpgsql set enable_seqscan = off as $$
declare
  moment timestamptz;
  held record;
  becomes text;
begin
  perform guard();
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  if not lock_claimed(p_namespace, p_task, p_token) then return null; end if;
  moment := clock_timestamp();
  select t.keys, coalesce(p_engagement, t.halted_by) as halted_by, t.admitted_revision, t.critical, t.claim_token
    into held from task t where t.namespace = p_namespace and t.id = p_task;
  select case
      when has_open_intent(held.claim_token) then 'unknown'
      when exists (select from engagement e where e.namespace = p_namespace and e.id = p_engagement and e.policy = 'discard') then 'discarded'
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

create function halted(p_namespace text, p_task text, p_token text, p_engagement text) returns text
language plpgsql security definer set search_path from current as $$
begin
  return put_back(p_namespace, p_task, p_token, p_engagement, null);
end $$;

create function retry(p_namespace text, p_task text, p_token text, p_delay_ms double precision) returns text
language plpgsql security definer set search_path from current as $$
begin
  return put_back(p_namespace, p_task, p_token, null, greatest(coalesce(p_delay_ms, 0), 0));
end $$;

create or replace function give_back(p_namespace text, p_task text, p_token text) returns boolean
language plpgsql security definer set search_path from current as $$
begin
  return put_back(p_namespace, p_task, p_token, null, null) is not null;
end $$;

-- Sweeps ------------------------------------------------------------------------------------------------------------------

-- Of these waiting tasks those that should be something else by now; `version` tells whether a row is still the one that
-- was looked at. A subquery of its callers, as ruling() is.
create function unsettled(p_namespace text, p_ids text[], p_now timestamptz)
returns table (id text, version xid, next text, is_skipped boolean) language sql stable as $$
  select w.id, w.version, w.next, w.is_skipped
  from (
    select t.id, t.state, t.xmin as version, is_skipped(t.past_due, t.due_at, t.parked_at, p_now) as is_skipped,
      next_waiting(r.doomed, r.halted, t.repeat is null and is_skipped(t.past_due, t.due_at, t.parked_at, p_now)) as next
    from task t cross join lateral ruling(t.namespace, t.keys, t.halted_by, t.admitted_revision, t.critical, p_now) as r
    where t.namespace = p_namespace and t.id = any (p_ids) and t.state in ('queued', 'parked')
    offset 0 -- what next is, is found out once
  ) as w
  where w.state <> w.next
$$;

-- Settles these waiting tasks by the engagements as they are now, with the shared lock held, and leaves alone those that
-- somebody else is writing or has just written.
create function settle(p_namespace text, p_ids text[], p_now timestamptz, out wrong integer, out changed integer) language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off
set jit = off as $$
begin
  with found_wrong as materialized (
    select * from unsettled(p_namespace, p_ids, p_now)
  ), locked as materialized (
    select t.id, f.next, f.is_skipped from found_wrong f join task t on t.namespace = p_namespace and t.id = f.id
    where t.xmin = f.version
    for no key update of t skip locked -- as in claim()
  ), written as (
    update task t set state = l.next,
      skipped = t.skipped or (l.next = 'queued' and l.is_skipped),
      -- By as long as it was parked.
      due_at = case when l.next = 'queued' and t.past_due = 'shift' and t.parked_at is not null then t.due_at + (p_now - t.parked_at) else t.due_at end,
      parked_at = case l.next when 'parked' then p_now end,
      ended_at = case when l.next in ('discarded', 'done') then p_now end,
      ended_why = case l.next when 'done' then 'skipped' end
    from locked l where t.namespace = p_namespace and t.id = l.id
    returning 1
  )
  select (select count(*) from found_wrong), (select count(*) from written) into wrong, changed;
end $$;

-- The next waiting tasks that a sweep has to look at, in the order of their bytes.
create function sweep_batch(s sweep, p_limit integer) returns text[] language plpgsql
set enable_seqscan = off set jit = off as $$
begin
  return case s.kind
    when 'release' then array(select t.id from task t
      where t.namespace = s.namespace and t.state = 'parked' and t.id collate "C" > s.cursor order by t.id collate "C" limit p_limit)
    when 'drain' then array(select t.id from task t
      where t.namespace = s.namespace and t.state = 'queued' and t.id collate "C" > s.cursor order by t.id collate "C" limit p_limit)
    -- What is parked may be doomed by a stop.
    else array(select w.id from (
        (select t.id from task t where t.namespace = s.namespace and t.state = 'queued' and t.id collate "C" > s.cursor
          order by t.id collate "C" limit p_limit)
        union all
        (select t.id from task t where t.namespace = s.namespace and t.state = 'parked' and t.id collate "C" > s.cursor
          order by t.id collate "C" limit p_limit)
      ) as w order by w.id collate "C" limit p_limit)
    end;
end $$;

-- Does a part of the oldest sweep that may run and that nobody else is doing: at most so many tasks, and no more than can be
-- done while a stop may be kept waiting, however slow the machine is.
create function sweep(p_namespace text, p_limit integer) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  most constant integer := greatest(p_limit, 1);
  piece constant integer := 250;
  longest constant interval := '25 milliseconds';
  moment timestamptz;
  s sweep;
  batch text[];
  wanted integer;
  done record;
  changed integer := 0;
  looked_at integer := 0;
  held text;
  is_over boolean := false;
begin
  perform guard();
  -- No flip commits from here to the end; the statements below see each one before it.
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  moment := clock_timestamp();
  select * into s from sweep w where w.namespace = p_namespace and w.done_at is null and w.not_before <= moment
    order by w.revision, w.not_before limit 1 for update skip locked;
  if not found then return '{"swept": 0, "more": false}'; end if;
  while held is null and not is_over and looked_at < most and clock_timestamp() < moment + longest loop
    wanted := least(piece, most - looked_at);
    batch := sweep_batch(s, wanted);
    select * into done from settle(p_namespace, batch, moment);
    if done.changed < done.wrong then
      -- Somebody else holds one of them and, should that come to nothing, nobody would look at it again: stay before it.
      select min(u.id collate "C") into held from unsettled(p_namespace, batch, moment) as u;
    end if;
    select coalesce(max(b collate "C"), s.cursor) into s.cursor from unnest(batch) as b where held is null or b collate "C" < held;
    changed := changed + done.changed;
    looked_at := looked_at + cardinality(batch);
    is_over := held is null and cardinality(batch) < wanted;
  end loop;
  update sweep w set cursor = s.cursor, swept = w.swept + changed, started_at = coalesce(w.started_at, moment),
    done_at = case when is_over then clock_timestamp() end
  where w.namespace = s.namespace and w.revision = s.revision and w.kind = s.kind;
  return jsonb_build_object('swept', changed, 'more',
    case when is_over then exists (select from sweep w where w.namespace = p_namespace and w.done_at is null and w.not_before <= moment)
    else held is null or changed > 0 end);
end $$;

create function counts(p_namespace text) returns jsonb language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  return (select coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'state', c.state, 'retries', c.retries, 'count', c.count)), '[]')
    from (select t.kind, t.state, count(*) filter (where t.retry) as retries, count(*) as count
      from task t where t.namespace = p_namespace group by t.kind, t.state) as c);
end $$;

-- Flips -------------------------------------------------------------------------------------------------------------------

-- As in 0002, with how long a drain lasts.
create or replace function flip_fault(body jsonb) returns text language plpgsql immutable as $$
declare
  strings text[] := array['at', 'id', 'kind', 'namespace', 'reason', 'scope', 'source', 'target', 'triggeredBy'];
  expected text[];
  field record;
begin
  if jsonb_typeof(body) <> 'object' then return 'it is no JSON object'; end if;
  if body ->> 'kind' = 'stop' then
    strings := strings || array['mode', 'queue'];
    if body ? 'drainMs' then expected := array['drainMs']; end if;
  elsif body ->> 'kind' = 'release' then expected := array['engagements'];
  else return 'its kind is neither stop nor release';
  end if;
  expected := array(select unnest(strings || expected) as name order by name);
  if array(select jsonb_object_keys(body) as name order by name) <> expected then
    return 'its fields are not ' || array_to_string(expected, ', ');
  end if;
  for field in select name, body -> name as value, body ->> name as found from unnest(strings) as name loop
    if jsonb_typeof(field.value) <> 'string' then return format('its %s is no string', field.name); end if;
    if field.name = 'reason' and text_length(field.found) <= 2000 then continue; end if;
    if text_length(field.found) not between 1 and 300 then return format('the length of its %s is not allowed', field.name); end if;
  end loop;
  if body ->> 'kind' = 'stop' then return drain_fault(body); end if;
  if jsonb_typeof(body -> 'engagements') <> 'array' or jsonb_array_length(body -> 'engagements') not between 1 and 1000 then
    return 'its engagements are no list of 1 to 1000 ids';
  end if;
  perform from jsonb_array_elements(body -> 'engagements') as e
    where jsonb_typeof(e) <> 'string' or text_length(e #>> '{}') not between 1 and 300;
  return case when found then 'one of its engagements is no id' end;
end $$;

create function drain_fault(body jsonb) returns text language plpgsql immutable as $$
begin
  if (body ->> 'queue' = 'drain') <> (body ? 'drainMs') then
    return 'how long a drain lasts (drainMs) is expected with queue drain, and with no other';
  end if;
  if not body ? 'drainMs' then return null; end if;
  if body ->> 'mode' = 'emergency' then return 'an emergency lets nothing pass; expected discard or park, found drain'; end if;
  if jsonb_typeof(body -> 'drainMs') <> 'number' then return 'its drainMs is no number'; end if;
  if (body ->> 'drainMs')::numeric not between 1 and 86400000 or (body ->> 'drainMs')::numeric % 1 <> 0 then
    return 'its drainMs is not a whole number from 1 to 86400000';
  end if;
  return null;
end $$;

-- What a stop leaves in the queue's hands: rows, so that it never waits for a queue.
create function open_engagement(f flip, p_drain_ms double precision) returns void language plpgsql as $$
declare
  until timestamptz := f.at + p_drain_ms * interval '1 millisecond';
begin
  insert into engagement (namespace, id, opened_revision, scope, target, mode, queue, drain_until, contract)
  values (f.namespace, f.id, f.revision, f.scope, f.target, f.mode, f.queue, until, current_contract(f.namespace));
  insert into sweep (namespace, revision, kind, engagement, not_before) values (f.namespace, f.revision, 'stop', f.id, f.at);
  if until is not null then
    insert into sweep (namespace, revision, kind, engagement, not_before) values (f.namespace, f.revision, 'drain', f.id, until);
  end if;
end $$;

-- As in 0002, with what it leaves to be swept, and a release that has to be green.
drop function put_flip(text, text, text, integer);
create function put_flip(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer, p_even_if_red text default null)
returns flip language plpgsql as $$
declare
  body jsonb := read_flip(p_namespace, p_text);
  closing text[];
  h head;
  f flip;
  payload text;
begin
  -- set_config(…, true) lasts until after COMMIT; a SET clause of the function would be undone before it.
  if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  perform set_config('lock_timeout', p_lock_timeout_ms || 'ms', true);
  -- A client that put this into a transaction of its own and stalls must not keep the lock from the next stop.
  perform set_config('idle_in_transaction_session_timeout', '1s', true);
  perform pg_advisory_xact_lock(fence_key(p_namespace));
  -- From here on each statement has a snapshot that was taken under the lock.
  f := known_flip(p_namespace, body ->> 'id', p_text);
  if f.revision is not null then return f; end if;
  h := head_of(p_namespace);
  f.namespace := p_namespace;
  f.revision := h.revision + 1;
  f.epoch := h.epoch;
  f.previous_hash := h.hash;
  -- The bytes: previous hash, epoch and revision (decimal), a line feed after each, then the text, all in UTF-8.
  f.hash := encode(sha256(convert_to(format(E'%s\n%s\n%s\n%s', h.hash, h.epoch, f.revision, p_text), 'UTF8')), 'hex');
  f.text := p_text;
  f.signature := p_signature;
  f.id := body ->> 'id';
  f.kind := body ->> 'kind';
  f.scope := body ->> 'scope';
  f.target := body ->> 'target';
  f.mode := body ->> 'mode';
  f.queue := body ->> 'queue';
  f.snapshot := pg_current_snapshot();
  f.at := clock_timestamp();
  insert into flip select f.*;
  if f.kind = 'stop' then
    perform open_engagement(f, (body ->> 'drainMs')::double precision);
  else
    closing := array(select jsonb_array_elements_text(body -> 'engagements'));
    perform close_engagements(p_namespace, closing, f.revision);
    perform refuse_red(p_namespace, closing, p_even_if_red);
    insert into sweep (namespace, revision, kind, not_before) values (p_namespace, f.revision, 'release', f.at);
  end if;
  update head set revision = f.revision, hash = f.hash where namespace = p_namespace;
  -- A notification holds less than 8000 bytes; an empty one says "fetch".
  payload := flip_json(f)::text;
  perform pg_notify(flip_channel(p_namespace), case when octet_length(payload) < 8000 then payload else '' end);
  return f;
exception
  when check_violation or not_null_violation or data_exception then
    raise exception using errcode = 'KD000', detail = 'FLIP_UNREADABLE', message = 'the store cannot take this flip: ' || sqlerrm;
end $$;

drop function flip(text, text, text, integer);
create function flip(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer default 150, p_even_if_red text default null)
returns json language plpgsql security definer set search_path from current as $$
declare
  f flip;
begin
  perform guard();
  f := put_flip(p_namespace, p_text, p_signature, p_lock_timeout_ms, p_even_if_red);
  return json_build_object('head', head_json(head_of(p_namespace)), 'ageMs', age_ms(), 'record', flip_json(f));
end $$;

grant execute on function flip(text, text, text, integer, text) to killdrill_flipper;
grant execute on function
  enqueue(text, double precision, text, bigint, text, text[], text[], text[], text[], text[], text[], text[], text[], text[],
    double precision[], text[], text[], text[]),
  extend(text, text[], text[], double precision), finish(text, text, text, text, text), halted(text, text, text, text),
  retry(text, text, text, double precision), sweep(text, integer), counts(text) to killdrill_worker;
