-- Durable work (DESIGN §3.11). One table for runs, and later for timers, retries, webhooks and child runs.

create table task (
  namespace text not null,
  id text not null,
  kind text not null check (kind in ('run')),
  -- The operator's class, bound at enqueue; what `halt_noncritical` lets pass is decided by it, never by the caller.
  class text not null default 'default',
  state text not null default 'queued'
    check (state in ('queued', 'running', 'done', 'failed', 'parked', 'discarded', 'unknown')),
  run text not null,
  tenant text,
  feature text,
  agent text not null,
  lineage text[] not null default '{}',
  capability text,
  plan jsonb not null,
  due_at timestamptz not null default clock_timestamp(),
  past_due text not null default 'fire' check (past_due in ('fire', 'skip', 'shift')),
  attempts integer not null default 0 check (attempts >= 0),
  -- The head under which it was let in. A discard engagement opened later covers it for ever.
  admitted_revision bigint not null,
  claim_token uuid,
  claimed_by text,
  claim_deadline timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  -- When a claim has to look at it: when it is due, or when whoever runs it should have ended.
  ready_at timestamptz generated always as (case state when 'queued' then due_at when 'running' then claim_deadline end) stored,
  primary key (namespace, id),
  check ((state = 'running') = (claim_token is not null)),
  check ((claim_token is null) = (claim_deadline is null))
);
create index task_ready on task (namespace, ready_at, id) where ready_at is not null;

-- The same rule as switchMatches() for a subject without a capability.
create function covers(e engagement, t task) returns boolean language sql immutable as $$
  select case e.scope
    when 'global' then true
    when 'tenant' then e.target = t.tenant
    when 'feature' then e.target = t.feature
    when 'agent' then e.target = t.agent
    when 'run' then e.target = t.run or e.target = any (t.lineage)
    else false end
$$;

-- Covered by a stop that is open now.
create function is_halted(t task) returns boolean language sql stable as $$
  select exists (select from engagement e
    where e.namespace = t.namespace and e.closed_revision is null and covers(e, t))
$$;

-- Covered by a discard engagement that was opened after the task was let in, whether or not that is still open.
create function is_doomed(t task) returns boolean language sql stable as $$
  select exists (select from engagement e
    where e.namespace = t.namespace and e.queue = 'discard' and e.opened_revision > t.admitted_revision and covers(e, t))
$$;

-- Whether somebody may still be doing something under the task's claim.
create function has_open_intent(t task) returns boolean language sql stable as $$
  select exists (select from intent i
    where i.claim_token = t.claim_token
      and not exists (select from outcome o where o.incarnation = i.incarnation and o.seq = i.seq))
$$;

create function enqueue(p_namespace text, p_minimum_age_ms double precision, p_epoch text, p_revision bigint, p_hash text,
  p_ids text[], p_kinds text[], p_runs text[], p_tenants text[], p_features text[], p_agents text[], p_lineages text[],
  p_plans text[]) returns jsonb language plpgsql security definer set search_path from current as $$
declare
  verdict fence_verdict := fence(p_namespace, p_minimum_age_ms, p_epoch, p_revision, p_hash);
begin
  if verdict.kind <> 'admitted' then return verdict.answer; end if;
  insert into task (namespace, id, kind, run, tenant, feature, agent, lineage, plan, admitted_revision)
  select p_namespace, b.id, b.kind, b.run, b.tenant, b.feature, b.agent, b.lineage::text[], b.plan::jsonb, verdict.revision
  from unnest(p_ids, p_kinds, p_runs, p_tenants, p_features, p_agents, p_lineages, p_plans)
    as b (id, kind, run, tenant, feature, agent, lineage, plan)
  on conflict (namespace, id) do nothing;
  return verdict.answer || '{"disowned": []}';
end $$;

-- Settles what may not run and claims what may, oldest first. Each round looks at no more than is still wanted, so that
-- the shared lock is held for a bounded time however long the queue is.
create function claim(p_namespace text, p_incarnation text, p_limit integer, p_claim_ms double precision) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  claimed text[] := '{}';
  looked_at integer;
  got text[];
begin
  perform guard();
  -- No flip commits from here to the end; the statements below see each one before it.
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  for round in 1..100 loop
    with candidate as materialized (
      select t.id, t.state = 'running' as expired, is_doomed(t) as doomed, is_halted(t) as halted,
        t.state = 'running' and has_open_intent(t) as open_intent
      from task t
      where t.namespace = p_namespace and t.ready_at <= clock_timestamp()
        and (t.state = 'running' or is_doomed(t) or not is_halted(t))
      order by t.ready_at, t.id limit p_limit - cardinality(claimed)
      for update of t skip locked
    ), decided as (
      select id, case
        when open_intent then 'unknown' -- its effect may have happened: never queued again by itself
        when doomed then 'discarded'
        when halted then 'queued'
        else 'running' end as next
      from candidate
    ), written as (
      update task t set state = d.next,
        claim_token = case d.next when 'running' then gen_random_uuid() end,
        claimed_by = case d.next when 'running' then p_incarnation else t.claimed_by end,
        claim_deadline = case d.next when 'running' then clock_timestamp() + p_claim_ms * interval '1 millisecond' end,
        attempts = t.attempts + case d.next when 'running' then 1 else 0 end,
        ended_at = case when d.next in ('unknown', 'discarded') then clock_timestamp() end
      from decided d where t.namespace = p_namespace and t.id = d.id
      returning t.id, t.state
    )
    select count(*), coalesce(array_agg(id) filter (where state = 'running'), '{}') into looked_at, got from written;
    claimed := claimed || got;
    exit when looked_at = 0 or cardinality(claimed) >= p_limit;
  end loop;
  return (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'token', t.claim_token, 'run', t.run, 'tenant', t.tenant,
      'feature', t.feature, 'agent', t.agent, 'lineage', t.lineage, 'plan', t.plan, 'attempts', t.attempts - 1)
      order by t.due_at, t.id), '[]')
    from task t where t.namespace = p_namespace and t.id = any (claimed));
end $$;

-- Locks a task for its claimant's last word. FOR UPDATE, so that it waits for a fence that is just letting in an intent
-- under the same claim (FOR KEY SHARE), and a later fence finds the claim gone.
create function lock_claimed(p_namespace text, p_task text, p_token text) returns boolean language plpgsql as $$
begin
  perform from task where namespace = p_namespace and id = p_task and state = 'running' and claim_token::text = p_token for update;
  return found;
end $$;

create function finish(p_namespace text, p_task text, p_token text, p_end text) returns boolean
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  if p_end not in ('done', 'failed', 'discarded', 'unknown') then
    raise exception using errcode = 'KD000', detail = 'TASK_END_UNKNOWN',
      message = format('a task cannot end as %L; expected done, failed, discarded or unknown', p_end);
  end if;
  if not lock_claimed(p_namespace, p_task, p_token) then return false; end if;
  update task set state = p_end, claim_token = null, claim_deadline = null, ended_at = clock_timestamp()
  where namespace = p_namespace and id = p_task;
  return true;
end $$;

create function give_back(p_namespace text, p_task text, p_token text) returns boolean
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  if not lock_claimed(p_namespace, p_task, p_token) then return false; end if;
  update task set state = 'queued', claim_token = null, claim_deadline = null, attempts = attempts - 1
  where namespace = p_namespace and id = p_task;
  return true;
end $$;

grant execute on function
  enqueue(text, double precision, text, bigint, text, text[], text[], text[], text[], text[], text[], text[], text[]),
  claim(text, text, integer, double precision), finish(text, text, text, text), give_back(text, text, text)
  to killdrill_worker;
