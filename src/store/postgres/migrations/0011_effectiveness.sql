-- Requested, effective, confirmed (DESIGN §3.13): workers and what they report, the declared inventory, and what an observer
-- needs to judge a stop. A worker may write its own rows only; reading is the flipper's.

-- One life of a worker. A new life never speaks for an old one: the old row stays until it has ended cleanly, or lapsed
-- with nothing open. Its report is overwritten in place, so that one costs the update of one row.
create table worker (
  incarnation text primary key,
  namespace text not null,
  worker text not null,
  pool text not null,
  version text,
  lease_ms double precision not null check (lease_ms > 0),
  longest_deadline_ms double precision not null check (longest_deadline_ms >= 0),
  -- sha256 of what only this life knows: without it nobody reports in its name.
  token_hash text not null,
  registered_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  -- Reports have numbers, since one that was given up may arrive after the next.
  number bigint not null default 0,
  -- Where its registry was, in the tick of the report.
  epoch text,
  revision bigint,
  hash text,
  -- Engagements with calls in scope still open, in that same tick; null: too many to be named, which confirms nothing.
  busy text[],
  in_flight integer not null default 0,
  -- The newest canary that its gate refused, and when that was reported first.
  canary_revision bigint,
  canary_at timestamptz,
  reported_at timestamptz
) with (fillfactor = 50);
create index worker_here on worker (namespace) where ended_at is null;

-- Who should be there, as the operator declared it; the newest row counts. Rows are added only.
create table inventory (
  id bigint generated always as identity primary key,
  namespace text not null,
  expected jsonb not null,
  at timestamptz not null default clock_timestamp()
);
create index inventory_newest on inventory (namespace, id desc);
create trigger append_only before update or delete or truncate on inventory execute function refuse_change();

-- Open intents that an operator has answered for.
create table intent_closed (
  incarnation text not null,
  seq bigint not null,
  closed_by text not null,
  reason text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (incarnation, seq)
);
create trigger append_only before update or delete or truncate on intent_closed execute function refuse_change();

-- How far the journal of an incarnation was looked through, and what was found open there: nobody looks there again.
create table journal_looked (incarnation text primary key, seq bigint not null);
create table intent_open (incarnation text not null, seq bigint not null, primary key (incarnation, seq));

-- A worker gives a call up at its deadline and says so. The call may go on: that outcome settles nothing.
create function gave_up(p_kind text, p_detail text) returns boolean language sql immutable as $$
  select p_kind = 'unknown' and p_detail is not distinct from 'unconfirmed: its deadline has passed'
$$;
create index outcome_gave_up on outcome (incarnation, seq)
  where kind = 'unknown' and detail = 'unconfirmed: its deadline has passed';

alter table operator_action
  drop constraint operator_action_kind_check,
  add constraint operator_action_kind_check
    check (kind in ('contract', 'critical', 'release', 'resume', 'compensation', 'outcome', 'inventory', 'intent'));

-- Workers -----------------------------------------------------------------------------------------------------------------

create function token_hash(p_token text) returns text language sql immutable as $$
  select encode(sha256(convert_to(p_token, 'UTF8')), 'hex')
$$;

create function register_worker(p_namespace text, p_incarnation text, p_token text, p_worker text, p_pool text, p_version text,
  p_lease_ms double precision, p_longest_deadline_ms double precision) returns void
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  perform head_of(p_namespace);
  -- What has said nothing for a day and has nothing open is no more. Should it live after all, it registers again.
  update worker w set ended_at = clock_timestamp()
  where w.namespace = p_namespace and w.ended_at is null
    and coalesce(w.reported_at, w.registered_at) < clock_timestamp() - interval '1 day'
    and coalesce((select max(i.seq) from intent i where i.incarnation = w.incarnation), 0)
      <= coalesce((select l.seq from journal_looked l where l.incarnation = w.incarnation), 0)
    and not exists (select from open_intents(w.incarnation));
  insert into worker (namespace, incarnation, worker, pool, version, lease_ms, longest_deadline_ms, token_hash)
  values (p_namespace, p_incarnation, p_worker, p_pool, p_version, p_lease_ms, p_longest_deadline_ms, token_hash(p_token))
  on conflict (incarnation) do update set ended_at = null
    where worker.token_hash = excluded.token_hash and worker.namespace = excluded.namespace;
  if not found then
    raise exception using errcode = 'KD000', detail = 'WORKER_TAKEN',
      message = format('incarnation %L is registered by another process; an incarnation is one life of one worker', p_incarnation);
  end if;
exception when check_violation or not_null_violation then
  raise exception using errcode = 'KD000', detail = 'WORKER_INVALID',
    message = format('worker %L cannot be registered: %s', p_worker, sqlerrm);
end $$;

-- False when this life is not registered (any more): it is to register again. A crash of the server may forget a report,
-- which confirms less, never more; so nobody waits for the disk.
create function report_worker(p_namespace text, p_incarnation text, p_token text, p_number bigint, p_epoch text, p_revision bigint,
  p_hash text, p_busy text[], p_in_flight integer, p_canary bigint) returns boolean
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  perform set_config('synchronous_commit', 'off', true);
  update worker w set
    number = p_number, epoch = p_epoch, revision = p_revision, hash = p_hash, busy = p_busy, in_flight = p_in_flight,
    canary_at = case when p_canary is distinct from w.canary_revision then clock_timestamp() else w.canary_at end,
    canary_revision = p_canary, reported_at = clock_timestamp()
  where w.incarnation = p_incarnation and w.namespace = p_namespace and w.token_hash = token_hash(p_token)
    and w.ended_at is null and w.number < p_number;
  if found then return true; end if;
  return exists (select from worker w where w.incarnation = p_incarnation and w.namespace = p_namespace
    and w.token_hash = token_hash(p_token) and w.ended_at is null);
end $$;

create function deregister_worker(p_namespace text, p_incarnation text, p_token text) returns void
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  update worker w set ended_at = clock_timestamp()
  where w.incarnation = p_incarnation and w.namespace = p_namespace and w.token_hash = token_hash(p_token) and w.ended_at is null;
end $$;

-- Whether the report stands on this store's own history; null without a report.
create function on_chain(w worker, h head) returns boolean language sql stable as $$
  select case when w.revision is null then null
    else w.epoch = h.epoch and (w.revision = 0 or exists (
      select from flip f where f.namespace = h.namespace and f.revision = w.revision and f.hash = w.hash)) end
$$;

create function worker_json(w worker, h head) returns jsonb language sql stable as $$
  select jsonb_build_object('worker', w.worker, 'incarnation', w.incarnation, 'pool', w.pool, 'version', w.version,
    'leaseMs', w.lease_ms, 'longestDeadlineMs', w.longest_deadline_ms,
    'registeredAgoMs', extract(epoch from clock_timestamp() - w.registered_at) * 1000,
    'reportedAgoMs', extract(epoch from clock_timestamp() - w.reported_at) * 1000,
    'appliedThrough', case when on_chain(w, h) then w.revision end,
    'busy', case when w.revision is null then '[]' else to_jsonb(w.busy) end, 'inFlight', w.in_flight,
    'canary', case when w.canary_revision is not null then jsonb_build_object('revision', w.canary_revision,
      'agoMs', extract(epoch from clock_timestamp() - w.canary_at) * 1000) end)
$$;

create function workers_json(p_namespace text, h head) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(worker_json(w, h) order by w.worker, w.incarnation), '[]')
  from worker w where w.namespace = p_namespace and w.ended_at is null
$$;

create function declared_inventory(p_namespace text) returns jsonb language sql stable as $$
  select expected from inventory where namespace = p_namespace order by id desc limit 1
$$;

-- Workers of other namespaces that have said something within a minute: one that was started with the wrong name runs past
-- all switches of this one.
create function workers_elsewhere(p_namespace text) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(jsonb_build_object('worker', w.worker, 'incarnation', w.incarnation, 'pool', w.pool,
    'namespace', w.namespace) order by w.worker, w.incarnation), '[]')
  from worker w where w.namespace <> p_namespace and w.ended_at is null
    and coalesce(w.reported_at, w.registered_at) > clock_timestamp() - interval '1 minute'
$$;

create function fleet_facts(p_namespace text) returns jsonb language plpgsql security definer set search_path from current as $$
declare
  h head;
begin
  perform guard();
  h := head_of(p_namespace);
  return jsonb_build_object('head', head_json(h), 'workers', workers_json(p_namespace, h),
    'inventory', declared_inventory(p_namespace), 'elsewhere', workers_elsewhere(p_namespace));
end $$;

-- Open intents ------------------------------------------------------------------------------------------------------------

-- Every incarnation in the journal, by hopping from one to the next in its index.
create function journaled_incarnations(p_namespace text) returns setof text language sql stable as $$
  with recursive hop(incarnation) as (
    (select i.incarnation from intent i order by i.incarnation limit 1)
    union all
    select (select i.incarnation from intent i where i.incarnation > hop.incarnation order by i.incarnation limit 1)
    from hop where hop.incarnation is not null
  )
  select hop.incarnation from hop
  where hop.incarnation is not null
    and (select i.namespace from intent i where i.incarnation = hop.incarnation limit 1) = p_namespace
$$;

-- Intents of one incarnation, as far as it was looked through, that may still be doing something: without an outcome, or
-- given up at their deadline.
create function open_intents(p_incarnation text) returns setof intent language sql stable as $$
  select i.* from intent_open n join intent i on i.incarnation = n.incarnation and i.seq = n.seq
  where n.incarnation = p_incarnation
    and not exists (select from outcome o where o.incarnation = n.incarnation and o.seq = n.seq)
    and not exists (select from intent_closed c where c.incarnation = n.incarnation and c.seq = n.seq)
  union all
  select i.* from outcome o join intent i on i.incarnation = o.incarnation and i.seq = o.seq
  where o.incarnation = p_incarnation and o.kind = 'unknown' and o.detail = 'unconfirmed: its deadline has passed'
    and not exists (select from intent_closed c where c.incarnation = o.incarnation and c.seq = o.seq)
$$;

-- Looks on through a journal, from where somebody stopped, until its end or until time is up; whether it came to the end.
-- An intent below that place which comes later is of a batch that was given up, and was never dispatched.
create function look_through(p_incarnation text, p_until timestamptz) returns boolean language plpgsql as $$
declare
  step constant integer := 2000;
  newest bigint := (select i.seq from intent i where i.incarnation = p_incarnation order by i.seq desc limit 1);
  began constant bigint := coalesce((select l.seq from journal_looked l where l.incarnation = p_incarnation), -1);
  place bigint := began;
  next bigint;
begin
  while place < newest and clock_timestamp() < p_until loop
    select max(part.seq) into next from (select i.seq from intent i
      where i.incarnation = p_incarnation and i.seq > place order by i.seq limit step) as part;
    insert into intent_open (incarnation, seq)
    select i.incarnation, i.seq from intent i
    where i.incarnation = p_incarnation and i.seq > place and i.seq <= next
      and not exists (select from outcome o where o.incarnation = i.incarnation and o.seq = i.seq)
    on conflict do nothing;
    place := next;
  end loop;
  if place > began then
    insert into journal_looked as l (incarnation, seq) values (p_incarnation, place)
    on conflict (incarnation) do update set seq = greatest(l.seq, excluded.seq);
  end if;
  delete from intent_open n where n.incarnation = p_incarnation
    and exists (select from outcome o where o.incarnation = n.incarnation and o.seq = n.seq);
  return place >= newest;
end $$;

-- Whether an engagement stops what this intent does. A drain's end is the worker's word, so that here it stops all.
create function stops_intent(e engagement, i intent, p_critical jsonb) returns boolean language sql stable as $$
  select e.key = any (switch_keys(i.tenant, i.feature, i.agent, i.run, i.lineage, i.capability))
    and not (e.mode = 'halt_noncritical' and (
      exists (select from jsonb_array_elements_text(p_critical) as pattern
        where 'capability:' || pattern = any (switch_keys(null, null, null, null, '{}', i.capability)))
      or exists (select from task t where t.namespace = i.namespace and t.id = i.task and t.critical)))
$$;

-- What is open in scope of an engagement, of all incarnations but these, and whose journals were not looked through yet.
create function open_in_scope(e engagement, p_except text[]) returns jsonb language plpgsql as $$
declare
  until constant timestamptz := clock_timestamp() + interval '250 milliseconds';
  critical constant jsonb := critical_capabilities(e.namespace);
  one text;
  i intent;
  open jsonb := '[]';
  unread jsonb := '[]';
begin
  for one in select j from journaled_incarnations(e.namespace) as j where j <> all (p_except) loop
    if not look_through(one, until) then unread := unread || to_jsonb(one); end if;
    for i in select * from open_intents(one) loop
      continue when jsonb_array_length(open) >= 1000 or not stops_intent(e, i, critical);
      open := open || jsonb_build_object('incarnation', one, 'seq', i.seq, 'run', i.run, 'capability', i.capability,
        'deadlineMs', i.deadline_ms, 'isPastDeadline', clock_timestamp() > i.at + i.deadline_ms * interval '1 millisecond');
    end loop;
  end loop;
  return jsonb_build_object('open', open, 'unread', unread);
end $$;

-- All that there is to judge one stop by; null for an id that opened nothing here.
create function stop_facts(p_namespace text, p_id text) returns jsonb language plpgsql security definer set search_path from current as $$
declare
  h head;
  e engagement;
  confirmed text[];
  journal jsonb;
begin
  perform guard();
  h := head_of(p_namespace);
  select * into e from engagement where namespace = p_namespace and id = p_id;
  if not found then return null; end if;
  -- Whoever confirmed has nothing open and begins nothing; nobody needs to look through its journal.
  confirmed := array(select w.incarnation from worker w where w.namespace = p_namespace
    and (w.ended_at is not null or (on_chain(w, h) and w.revision >= e.opened_revision and w.busy is not null and e.id <> all (w.busy))));
  journal := open_in_scope(e, confirmed);
  return jsonb_build_object(
    'stop', jsonb_build_object('id', e.id, 'revision', e.opened_revision, 'scope', e.scope, 'target', e.target, 'mode', e.mode,
      'drains', e.policy = 'drain', 'closedRevision', e.closed_revision),
    'head', head_json(h), 'workers', workers_json(p_namespace, h), 'inventory', declared_inventory(p_namespace),
    'elsewhere', workers_elsewhere(p_namespace), 'openIntents', journal -> 'open', 'unread', journal -> 'unread');
end $$;

-- The operator's part -----------------------------------------------------------------------------------------------------

create function inventory_fault(p_expected jsonb) returns text language plpgsql immutable as $$
declare
  expected constant text := 'expected {"pools": {name: count}, "closed": true or false}';
begin
  if not has_keys(p_expected, 'closed', 'pools') or jsonb_typeof(p_expected -> 'closed') <> 'boolean'
    or jsonb_typeof(p_expected -> 'pools') <> 'object' then return 'it is ' || shown(p_expected) || '; ' || expected; end if;
  if p_expected -> 'pools' = '{}' then return 'it names no pool; an empty inventory would call anything effective'; end if;
  perform from jsonb_each(p_expected -> 'pools') as p
    where not is_name(to_jsonb(p.key)) or jsonb_typeof(p.value) <> 'number' or (p.value #>> '{}') !~ '^[1-9][0-9]{0,5}$';
  return case when found then 'a pool is no name with a count of workers above 0; ' || expected end;
end $$;

create function declare_inventory(p_namespace text, p_expected text, p_by text, p_reason text) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  expected jsonb := json_of(p_expected);
  answer jsonb := asker_refusal(p_by, p_reason);
  fault text := inventory_fault(expected);
begin
  perform guard();
  perform head_of(p_namespace);
  if answer is null and fault is not null then
    answer := refusal('INVENTORY_INVALID', 'the inventory is refused: ' || fault);
  end if;
  if answer is null then
    insert into inventory (namespace, expected) values (p_namespace, expected);
    answer := '{}';
  end if;
  return on_record(p_namespace, 'inventory', p_by, p_reason, p_expected, answer);
end $$;

-- An operator answers for an intent whose call nobody has seen end. Not before its deadline: until then its worker may.
create function close_intent(p_namespace text, p_incarnation text, p_seq text, p_by text, p_reason text) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  answer jsonb := asker_refusal(p_by, p_reason);
  number bigint := case when p_seq ~ '^[0-9]{1,18}$' then p_seq::bigint end;
  i intent;
begin
  perform guard();
  perform head_of(p_namespace);
  select * into i from intent t where t.incarnation = p_incarnation and t.seq = number and t.namespace = p_namespace;
  if answer is not null then null;
  elsif i.seq is null then
    answer := refusal('INTENT_UNKNOWN', format('there is no intent %s of incarnation %s here', p_seq, shown(to_jsonb(p_incarnation))));
  elsif clock_timestamp() < i.at + i.deadline_ms * interval '1 millisecond' then
    answer := refusal('INTENT_NOT_DUE', format('the deadline of intent %s of incarnation %L has not passed; wait for it', p_seq, p_incarnation));
  elsif exists (select from outcome o where o.incarnation = i.incarnation and o.seq = i.seq and not gave_up(o.kind, o.detail)) then
    answer := jsonb_build_object('closed', false);
  else
    insert into intent_closed (incarnation, seq, closed_by, reason) values (i.incarnation, i.seq, p_by, p_reason)
    on conflict do nothing;
    answer := jsonb_build_object('closed', true);
  end if;
  return on_record(p_namespace, 'intent', p_by, p_reason,
    jsonb_build_object('incarnation', p_incarnation, 'seq', p_seq)::text, answer);
end $$;

grant execute on function
  register_worker(text, text, text, text, text, text, double precision, double precision),
  report_worker(text, text, text, bigint, text, bigint, text, text[], integer, bigint),
  deregister_worker(text, text, text) to killdrill_worker;
grant execute on function
  fleet_facts(text), stop_facts(text, text), declare_inventory(text, text, text, text),
  close_intent(text, text, text, text, text) to killdrill_flipper;
