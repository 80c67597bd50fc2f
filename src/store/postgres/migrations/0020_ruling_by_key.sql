-- What a stop means for a task costs a few index probes, however many stops are open and whatever the statistics say. With the
-- index of 0016 beside the one on keys, a planner without statistics went through all that was open and worked out the task's
-- keys again for each row: 170 ms a task among 1,000 open stops, with the fence held all that time, so that stops waited too.

-- As in 0016, but of use to nothing than to a load: no condition matches it but its own.
drop index engagement_loaded;
create index engagement_loaded on engagement ((case when closed_revision is null then namespace end), opened_revision);

-- As in 0016, with that condition.
create or replace function begin_load(p_namespace text, p_proof text) returns json
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
    where case when e.closed_revision is null then e.namespace end = p_namespace
    order by e.opened_revision;
  return json_build_object('head', head_json(h), 'ageMs', age_ms(), 'critical', critical_capabilities(h.namespace),
    'released', case when p_proof <> 'none' then released_json(p_namespace, p_proof = 'all') end);
end $$;

-- As in 0006, but key by key. A subquery with a limit is not taken apart: each key is one probe of the index on keys, while an
-- array of keys looks dearer to the planner than a whole small table; and who is looked for by id is looked for by id alone.
create or replace function ruling(p_namespace text, p_keys text[], p_halted_by text, p_stamp bigint, p_critical boolean, p_now timestamptz)
returns table (doomed boolean, halted boolean) language sql stable as $$
  select
    exists (select from unnest(p_keys) as k cross join lateral (select from engagement e
        where e.namespace = p_namespace and e.policy = 'discard' and e.key = k and e.opened_revision > p_stamp limit 1) as found)
      or p_halted_by is not null and exists (select from (select * from engagement e
        where e.namespace = p_namespace and e.id = p_halted_by limit 1) as e where e.policy = 'discard' and e.opened_revision > p_stamp),
    exists (select from unnest(p_keys) as k cross join lateral (select from engagement e
        where e.namespace = p_namespace and e.closed_revision is null and e.key = k and stops(e, p_stamp, p_critical, p_now) limit 1) as found)
      or p_halted_by is not null and exists (select from (select * from engagement e
        where e.namespace = p_namespace and e.id = p_halted_by limit 1) as e
        where e.closed_revision is null and not (e.mode = 'halt_noncritical' and p_critical))
$$;

-- As in 0017, with what is named read once, by its id.
create or replace function put_back(p_namespace text, p_task text, p_token text, p_engagement text, p_retry_ms double precision) returns text
language plpgsql set enable_seqscan = off as $$
declare
  moment timestamptz;
  held record;
  becomes text;
  named engagement;
begin
  perform guard();
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  if not lock_claimed(p_namespace, p_task, p_token) then return null; end if;
  moment := clock_timestamp();
  select * into named from engagement e where e.namespace = p_namespace and e.id = p_engagement;
  select t.keys, t.halted_by, t.admitted_revision, t.claimed_revision, t.critical, t.claim_token
    into held from task t where t.namespace = p_namespace and t.id = p_task;
  if named.closed_revision <= held.claimed_revision then
    named := null;
  else
    -- also one that the store has not heard of yet
    held.halted_by := coalesce(p_engagement, held.halted_by);
  end if;
  select case
      when has_open_intent(held.claim_token) then 'unknown'
      when named.policy = 'discard' then 'discarded'
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
