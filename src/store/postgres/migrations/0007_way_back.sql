-- The way back (DESIGN §3.2, §3.12): run contracts, the operator's critical rules, resume, ledger and compensations. Only
-- the flipper's role may call what is here: the governed agent holds none of it.
--
-- A refusal is an answer here, {"refused": {"code", "message"}}, and no exception: that would take its record with it.

-- Each request of an operator with its answer or refusal, as it was asked. Rows are added only.
create table operator_action (
  id bigint generated always as identity primary key,
  namespace text not null,
  kind text not null check (kind in ('contract', 'critical', 'release', 'resume', 'compensation', 'outcome')),
  asked_by text not null,
  reason text not null,
  -- Verbatim; text, since what is refused may not even be JSON.
  request text not null,
  answer jsonb,
  refusal_code text,
  refusal text,
  -- Who was connected, whatever they called themselves.
  login text not null default session_user,
  at timestamptz not null default clock_timestamp(),
  check ((answer is null) = (refusal is not null) and (refusal is null) = (refusal_code is null))
);
create index operator_action_namespace on operator_action (namespace, id);

-- What the fleet ran, and since when; the newest row counts. Rows are added only.
create table run_contract (
  id bigint generated always as identity primary key,
  namespace text not null,
  -- sha256 (hex) over the canonical text that jsonb has: two contracts are equal iff these are.
  hash text not null,
  contract jsonb not null,
  at timestamptz not null default clock_timestamp()
);
create index run_contract_newest on run_contract (namespace, id desc) include (hash);

-- What the operator declared critical; the newest row counts, also for nothing. Rows are added only.
create table critical_rules (
  id bigint generated always as identity primary key,
  namespace text not null,
  capabilities jsonb not null,
  at timestamptz not null default clock_timestamp()
);
create index critical_rules_newest on critical_rules (namespace, id desc);

create table critical_class (
  rules bigint not null references critical_rules,
  position integer not null,
  name text not null,
  scope text not null,
  target text not null,
  primary key (rules, position)
);

-- One for each ledger entry at most. Its id is also the idempotency key of its effect.
create table compensation (
  namespace text not null,
  id uuid not null default gen_random_uuid(),
  incarnation text not null,
  seq bigint not null,
  capability text not null,
  asked_by text not null,
  reason text not null,
  outcome text check (outcome in ('landed', 'failed', 'unknown', 'blocked')),
  detail text,
  at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  primary key (id),
  unique (incarnation, seq)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'KD000', detail = 'APPEND_ONLY',
    message = format('rows of %I are added and never changed or removed: they are the record', tg_table_name);
end $$;
create trigger append_only before update or delete or truncate on operator_action execute function refuse_change();
create trigger append_only before update or delete or truncate on run_contract execute function refuse_change();
create trigger append_only before update or delete or truncate on critical_rules execute function refuse_change();
create trigger append_only before update or delete or truncate on critical_class execute function refuse_change();

-- The request that brought it back last; null for none.
alter table task add column resumed_by uuid;
create index task_stopped on task (namespace, due_at, id) where state in ('discarded', 'unknown');

create function refusal(p_code text, p_message text) returns jsonb language sql immutable as $$
  select jsonb_build_object('refused', jsonb_build_object('code', p_code, 'message', p_message))
$$;

-- Puts a request and its answer on record, and answers it.
create function on_record(p_namespace text, p_kind text, p_by text, p_reason text, p_request text, p_answer jsonb) returns jsonb
language plpgsql as $$
begin
  insert into operator_action (namespace, kind, asked_by, reason, request, answer, refusal_code, refusal)
  values (p_namespace, p_kind, left(coalesce(p_by, ''), 1000), left(coalesce(p_reason, ''), 10000),
    left(coalesce(p_request, ''), 1000000), case when not p_answer ? 'refused' then p_answer end,
    p_answer #>> '{refused,code}', p_answer #>> '{refused,message}');
  return p_answer;
end $$;

-- Null when somebody says who asks; a name and a reason are held to what a flip's are.
create function asker_refusal(p_by text, p_reason text) returns jsonb language sql immutable as $$
  select case
    when coalesce(text_length(p_by), 0) not between 1 and 300 then
      refusal('ASKER_INVALID', format('who asks is named in %s characters; expected 1 to 300', coalesce(text_length(p_by), 0)))
    when coalesce(text_length(p_reason), 2001) > 2000 then
      refusal('ASKER_INVALID', format('the reason has %s characters; expected at most 2000', coalesce(text_length(p_reason)::text, 'no')))
    end
$$;

-- The JSON in a text, or null when there is none that the store can keep.
create function json_of(p_text text) returns jsonb language plpgsql immutable as $$
begin
  return p_text::jsonb;
exception when data_exception or program_limit_exceeded then
  return null;
end $$;

create function is_name(p_value jsonb) returns boolean language sql immutable as $$
  select coalesce(jsonb_typeof(p_value) = 'string' and text_length(p_value #>> '{}') between 1 and 300, false)
$$;

-- Whether it is a JSON object with exactly these keys.
create function has_keys(p_value jsonb, variadic p_keys text[]) returns boolean language plpgsql immutable as $$
begin
  if p_value is null or jsonb_typeof(p_value) <> 'object' then return false; end if;
  return array(select jsonb_object_keys(p_value) as key order by key) = array(select unnest(p_keys) as key order by key);
end $$;

-- A value that was found where another was expected, short enough for a sentence.
create function shown(p_value jsonb) returns text language sql immutable as $$
  select coalesce(left(p_value::text, 80), 'nothing')
$$;

-- The run contract --------------------------------------------------------------------------------------------------------

create function contract_fault(p_contract jsonb) returns text language plpgsql immutable as $$
declare
  tool record;
begin
  if not has_keys(p_contract, 'model', 'prompt', 'tools') then
    return format('%s has not exactly the fields model, prompt and tools', shown(p_contract));
  end if;
  if not is_name(p_contract -> 'model') then return format('its model is %s; expected 1 to 300 characters', shown(p_contract -> 'model')); end if;
  if not is_name(p_contract -> 'prompt') then return format('its prompt is %s; expected 1 to 300 characters', shown(p_contract -> 'prompt')); end if;
  if jsonb_typeof(p_contract -> 'tools') <> 'object' then return format('its tools are %s; expected a map of names to versions', shown(p_contract -> 'tools')); end if;
  if (select count(*) from jsonb_object_keys(p_contract -> 'tools')) > 1000 then return 'it has more than 1000 tools'; end if;
  for tool in select key, value from jsonb_each(p_contract -> 'tools') loop
    if not is_name(to_jsonb(tool.key)) or not is_name(tool.value) then
      return format('its tool %s has version %s; expected 1 to 300 characters each', shown(to_jsonb(tool.key)), shown(tool.value));
    end if;
  end loop;
  return null;
end $$;

create function declare_contract(p_namespace text, p_contract text, p_by text, p_reason text) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  contract jsonb := json_of(p_contract);
  answer jsonb := asker_refusal(p_by, p_reason);
  fault text := contract_fault(contract);
begin
  perform guard();
  perform head_of(p_namespace);
  -- Ordered against flips: each stop keeps the contract that was declared last before it.
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  if answer is null and fault is not null then answer := refusal('CONTRACT_INVALID', 'the run contract cannot be declared: ' || fault); end if;
  if answer is null then
    answer := jsonb_build_object('hash', encode(sha256(convert_to(contract::text, 'UTF8')), 'hex'));
    insert into run_contract (namespace, hash, contract) values (p_namespace, answer ->> 'hash', contract);
  end if;
  return on_record(p_namespace, 'contract', p_by, p_reason, p_contract, answer);
end $$;

-- Hash of what the fleet runs now; null while nothing was declared.
create function current_contract(p_namespace text) returns text language sql stable as $$
  select hash from run_contract where namespace = p_namespace order by id desc limit 1
$$;

create function describe_contract(p_namespace text, p_hash text) returns text language sql stable as $$
  select format('model %s, prompt %s, %s', contract -> 'model', contract -> 'prompt',
    coalesce('tools ' || nullif((select string_agg(key || ' ' || value, ', ' order by key) from jsonb_each_text(contract -> 'tools')), ''), 'no tools'))
  from run_contract where namespace = p_namespace and hash = p_hash order by id desc limit 1
$$;

-- Why each of these may not be released yet. One that is not there, or closed, is no matter of colour: the release itself
-- refuses it. A release that is just being made has closed them already.
create function red_reasons(p_namespace text, p_ids text[], p_just_closed boolean default false) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  runs_now text := current_contract(p_namespace);
begin
  perform guard();
  return (select coalesce(jsonb_agg(jsonb_build_object('engagement', e.id, 'reason',
      'the fleet still runs what it ran at the stop: ' || describe_contract(p_namespace, runs_now)) order by e.opened_revision), '[]')
    from engagement e where e.namespace = p_namespace and e.id = any (p_ids) and e.contract = runs_now
      and (e.closed_revision is null or p_just_closed));
end $$;

-- Raises unless all are green, or somebody says why not to wait for that. The caller is a flip, under the exclusive lock.
create function refuse_red(p_namespace text, p_ids text[], p_even_if_red text) returns void language plpgsql as $$
declare
  red jsonb := red_reasons(p_namespace, p_ids, true);
begin
  if red = '[]' or coalesce(p_even_if_red, '') ~ '\S' then return; end if;
  raise exception using errcode = 'KD000', detail = 'RELEASE_NOT_GREEN',
    message = 'the release is red: ' || (select string_agg(format('%L (%s)', r ->> 'engagement', r ->> 'reason'), '; ') from jsonb_array_elements(red) as r)
      || '; declare the contract that runs now, or release even if red, with a reason';
end $$;

-- As in 0006, and keeps on record each release that was refused, and each that was taken although it is red. A stop never
-- comes by here for more than one comparison.
create or replace function flip(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer default 150,
  p_even_if_red text default null) returns json language plpgsql security definer set search_path from current as $$
declare
  f flip;
  body jsonb;
  code text;
begin
  perform guard();
  begin
    f := put_flip(p_namespace, p_text, p_signature, p_lock_timeout_ms, p_even_if_red);
  exception when sqlstate 'KD000' then
    get stacked diagnostics code = pg_exception_detail;
    if code not in ('RELEASE_NOT_GREEN', 'ENGAGEMENT_NOT_OPEN') then raise; end if;
    body := p_text::jsonb;
    return on_record(p_namespace, 'release', body ->> 'triggeredBy', body ->> 'reason', p_text, refusal(code, sqlerrm));
  end;
  if f.kind = 'release' and p_even_if_red is not null then
    body := p_text::jsonb;
    perform on_record(p_namespace, 'release', body ->> 'triggeredBy', p_even_if_red, p_text, jsonb_build_object('revision', f.revision,
      'red', red_reasons(p_namespace, array(select jsonb_array_elements_text(body -> 'engagements')), true)));
  end if;
  return json_build_object('head', head_json(head_of(p_namespace)), 'ageMs', age_ms(), 'record', flip_json(f));
end $$;

-- What is critical --------------------------------------------------------------------------------------------------------

create function rules_fault(p_rules jsonb) returns text language plpgsql immutable as $$
declare
  item jsonb;
begin
  if not has_keys(p_rules, 'capabilities', 'classes') then return format('%s has not exactly the fields capabilities and classes', shown(p_rules)); end if;
  if jsonb_typeof(p_rules -> 'capabilities') <> 'array' or jsonb_typeof(p_rules -> 'classes') <> 'array' then
    return 'its capabilities and its classes are lists';
  end if;
  if jsonb_array_length(p_rules -> 'capabilities') > 1000 or jsonb_array_length(p_rules -> 'classes') > 1000 then
    return 'it has more than 1000 capabilities or classes';
  end if;
  for item in select jsonb_array_elements(p_rules -> 'capabilities') loop
    if not is_pattern(item) then return format('capability %s is no path such as read/crm or write/*', shown(item)); end if;
  end loop;
  for item in select jsonb_array_elements(p_rules -> 'classes') loop
    if not has_keys(item, 'name', 'scope', 'target') or not is_name(item -> 'name') or not is_name(item -> 'target') then
      return format('class %s has not exactly a name, a scope and a target of 1 to 300 characters', shown(item));
    end if;
    if item ->> 'scope' not in ('global', 'tenant', 'feature', 'capability', 'agent', 'run') then
      return format('the scope of class %s is %s; expected global, tenant, feature, capability, agent or run', shown(item -> 'name'), shown(item -> 'scope'));
    end if;
    if item ->> 'scope' = 'global' and item ->> 'target' <> '*' then return format('the target of global class %s is %s; expected "*"', shown(item -> 'name'), shown(item -> 'target')); end if;
    if item ->> 'scope' = 'capability' and not is_pattern(item -> 'target') then
      return format('the target of class %s is %s, which is no path such as read/crm or write/*', shown(item -> 'name'), shown(item -> 'target'));
    end if;
  end loop;
  return null;
end $$;

-- A star that stands anywhere but at the end of a path, after a slash, would match nothing, and nobody would notice.
create function is_pattern(p_value jsonb) returns boolean language sql immutable as $$
  select is_name(p_value) and p_value #>> '{}' ~ '^[^*]+(/\*)?$' and p_value #>> '{}' !~ '^/'
$$;

create function set_critical(p_namespace text, p_rules text, p_by text, p_reason text) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  rules jsonb := json_of(p_rules);
  answer jsonb := asker_refusal(p_by, p_reason);
  fault text := rules_fault(rules);
  number bigint;
begin
  perform guard();
  perform head_of(p_namespace);
  if answer is null and fault is not null then answer := refusal('CRITICAL_RULES_INVALID', 'the critical rules cannot be set: ' || fault); end if;
  if answer is null then
    insert into critical_rules (namespace, capabilities) values (p_namespace, rules -> 'capabilities') returning id into number;
    insert into critical_class (rules, position, name, scope, target)
    select number, c.position, c.class ->> 'name', c.class ->> 'scope', c.class ->> 'target'
    from jsonb_array_elements(rules -> 'classes') with ordinality as c (class, position);
    answer := jsonb_build_object('rules', number);
  end if;
  return on_record(p_namespace, 'critical', p_by, p_reason, p_rules, answer);
end $$;

create function critical_capabilities(p_namespace text) returns jsonb language sql stable as $$
  select coalesce((select capabilities from critical_rules where namespace = p_namespace order by id desc limit 1), '[]')
$$;

-- The first critical class one of whose switches covers the task; null for none.
create function class_of(p_namespace text, t task) returns text language plpgsql as $$
declare
  newest bigint := (select r.id from critical_rules r where r.namespace = p_namespace order by r.id desc limit 1);
  -- Once, and not for each class: whoever asks holds the shared fence lock.
  keys constant text[] := switch_keys(t.tenant, t.feature, t.agent, t.run, t.lineage, t.capability);
begin
  if newest is null then return null; end if;
  return (select c.name from critical_class c
    where c.rules = newest and c.scope || ':' || c.target = any (keys)
    order by c.position limit 1);
end $$;

-- As in 0002, with what is critical.
create or replace function load(p_namespace text) returns json language plpgsql security definer set search_path from current as $$
declare
  answer json;
begin
  perform guard();
  select json_build_object('head', head_json(h), 'ageMs', age_ms(), 'critical', critical_capabilities(h.namespace), 'open', coalesce((
      select json_agg(flip_json(f) order by f.revision)
      from engagement e join flip f on f.namespace = e.namespace and f.revision = e.opened_revision
      where e.namespace = h.namespace and e.closed_revision is null), '[]'))
    into answer from head h where h.namespace = p_namespace;
  if answer is null then perform head_of(p_namespace); end if;
  return answer;
end $$;

-- Resume ------------------------------------------------------------------------------------------------------------------

-- What is wrong with what is to be resumed and how, or null.
create function resume_fault(p_which jsonb, p_staging jsonb) returns text language plpgsql immutable as $$
begin
  case p_which ->> 'kind'
    when 'all' then null;
    when 'tenant' then
      if coalesce(jsonb_typeof(p_which -> 'tenant'), '') <> 'string' then return format('the tenant is %s; expected a name', shown(p_which -> 'tenant')); end if;
    when 'runs' then
      if coalesce(jsonb_typeof(p_which -> 'runs'), '') <> 'array' or jsonb_array_length(p_which -> 'runs') not between 1 and 10000 then
        return 'it names no runs, or more than 10000; name those that are to go on';
      end if;
      perform from jsonb_array_elements(p_which -> 'runs') as r where jsonb_typeof(r) <> 'string';
      if found then return 'one of its runs is no name'; end if;
    else return format('%s says neither runs, tenant nor all', shown(p_which));
  end case;
  case p_staging ->> 'kind'
    when 'at-once' then null;
    when 'rate' then
      if coalesce(jsonb_typeof(p_staging -> 'tasksPerSecond'), '') <> 'number' or not (p_staging ->> 'tasksPerSecond')::numeric between 0.001 and 1000000 then
        return format('the rate is %s tasks a second; expected 0.001 to 1000000', shown(p_staging -> 'tasksPerSecond'));
      end if;
    when 'tenants' then
      if coalesce(jsonb_typeof(p_staging -> 'everyMs'), '') <> 'number' or not (p_staging ->> 'everyMs')::numeric between 0.001 and 86400000 then
        return format('the pause between tenants is %s ms; expected 0.001 to 86400000', shown(p_staging -> 'everyMs'));
      end if;
    else return format('%s says neither at-once, rate nor tenants', shown(p_staging));
  end case;
  return null;
end $$;

-- Runs that are named and have nothing to resume, each with what it has instead; null for none.
create function not_stopped(p_namespace text, p_runs text[]) returns text language sql stable as $$
  select string_agg(case when place <= 20 then format('%L (%s)', run, found) end, ', ' order by place)
    || case when count(*) > 20 then format(' and %s more', count(*) - 20) else '' end
  from (
    select named.run, coalesce(there.states, 'unknown here') as found, row_number() over (order by named.run) as place
    from (select distinct unnest(p_runs) as run) as named
    left join (
      select t.run, string_agg(distinct t.state, ', ') as states, bool_or(t.state in ('discarded', 'unknown')) as stopped
      from task t where t.namespace = p_namespace and t.run = any (p_runs) group by t.run
    ) as there on there.run = named.run
    where there.stopped is not true
  ) as missing
$$;

-- What a resume would bring back next, in the order of its staging. What was passed over, since a stop dooms it or somebody
-- else resumes it, lies before `p_after` then and is not looked at again. Holds no lock: whoever writes looks again.
create function to_resume(p_namespace text, p_id uuid, p_which jsonb, p_by_tenant boolean, p_after jsonb, p_limit integer)
returns table (id text, tenant text, due timestamptz) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  runs text[] := array(select jsonb_array_elements_text(p_which -> 'runs'));
  is_named boolean := p_which ->> 'kind' = 'runs';
  of_tenant text := p_which ->> 'tenant';
  after_tenant text := coalesce(p_after ->> 'tenant', '');
  after_due timestamptz := coalesce(p_after ->> 'due', '-infinity');
  after_id text := coalesce(p_after ->> 'id', '');
begin
  if p_by_tenant then
    return query select t.id, coalesce(t.tenant, ''), t.due_at from task t
      where t.namespace = p_namespace and t.state in ('discarded', 'unknown') and (is_named or t.state = 'discarded')
        and (not is_named or t.run = any (runs)) and (of_tenant is null or t.tenant = of_tenant) and t.resumed_by is distinct from p_id
        and (coalesce(t.tenant, '') collate "C", t.due_at, t.id) > (after_tenant, after_due, after_id)
      order by coalesce(t.tenant, '') collate "C", t.due_at, t.id limit p_limit;
  else
    return query select t.id, coalesce(t.tenant, ''), t.due_at from task t
      where t.namespace = p_namespace and t.state in ('discarded', 'unknown') and (is_named or t.state = 'discarded')
        and (not is_named or t.run = any (runs)) and (of_tenant is null or t.tenant = of_tenant) and t.resumed_by is distinct from p_id
        and (t.due_at, t.id) > (after_due, after_id)
      order by t.due_at, t.id limit p_limit;
  end if;
end $$;

-- What the discarding stops so far have left to be swept is swept first, a piece a call: what they have doomed and nobody has
-- written down yet would stay behind. Null once that is done, else what the caller is to come back with.
create function sweep_first(p_namespace text, p_progress jsonb) returns jsonb language plpgsql as $$
declare
  through bigint := coalesce((p_progress ->> 'through')::bigint, (head_of(p_namespace)).revision);
  since timestamptz := coalesce((p_progress ->> 'since')::timestamptz, clock_timestamp());
  did jsonb;
begin
  -- Another process is at it: it is given its time, before there is any lock to hold.
  if (p_progress ->> 'idle')::boolean then perform pg_sleep(0.01); end if;
  perform from sweep w join engagement e on e.namespace = w.namespace and e.id = w.engagement
    where w.namespace = p_namespace and w.done_at is null and w.kind = 'stop' and w.revision <= through and e.policy = 'discard';
  if not found then return null; end if;
  did := sweep(p_namespace, 2000);
  return jsonb_build_object('through', through, 'since', since, 'idle', did = '{"swept": 0, "more": false}',
    'isLate', clock_timestamp() > since + interval '1 minute');
end $$;

-- Brings back at most so many, under the shared lock, so that no stop ever waits for a long resume. The first call has no
-- progress; each answers what the next one needs. All of them stamp with the head of the first: a stop that was opened in
-- between has dooms of its own on what is still to come, and that stays as it is.
create function resume(p_namespace text, p_which text, p_staging text, p_by text, p_reason text, p_progress text default null,
  p_limit integer default 250) returns jsonb language plpgsql security definer set search_path from current as $$
declare
  which jsonb := json_of(p_which);
  staging jsonb := json_of(p_staging);
  progress jsonb := json_of(p_progress);
  sweeping jsonb;
  request text := format('{"which": %s, "staging": %s}', p_which, p_staging);
  answer jsonb := asker_refusal(p_by, p_reason);
  fault text := resume_fault(which, staging);
  by_tenant constant boolean := staging ->> 'kind' = 'tenants';
  ids text[];
  after jsonb;
begin
  perform guard();
  perform head_of(p_namespace);
  if answer is null and fault is not null then answer := refusal('RESUME_INVALID', 'nothing is resumed: ' || fault); end if;
  if answer is null and not coalesce(progress ? 'id', false) then
    sweeping := sweep_first(p_namespace, progress -> 'sweeping');
    if (sweeping ->> 'isLate')::boolean then
      answer := refusal('SWEEP_PENDING', 'nothing is resumed: what the stops so far discard has not been written down within a minute; ask again');
    elsif sweeping is not null then
      return '{"tasks": 0, "parked": 0, "runs": [], "lastDueInMs": 0, "more": true}' || jsonb_build_object('progress', jsonb_build_object('sweeping', sweeping));
    end if;
    progress := null;
  end if;
  if answer is null and progress is null and which ->> 'kind' = 'runs' then
    fault := not_stopped(p_namespace, array(select jsonb_array_elements_text(which -> 'runs')));
    if fault is not null then
      answer := refusal('RUN_NOT_STOPPED', format('nothing is resumed, since these runs have nothing that was discarded: %s; name only those that have', fault));
    end if;
  end if;
  if answer is null then
    progress := coalesce(progress, jsonb_build_object('id', gen_random_uuid(), 'tasks', 0, 'tenants', 0, 'startedAt', clock_timestamp()));
    -- In the order of the rows as they come.
    select array_agg(r.id), (array_agg(to_jsonb(r)))[count(*)] into ids, after
      from to_resume(p_namespace, (progress ->> 'id')::uuid, which, by_tenant, progress -> 'after', p_limit) as r;
    progress := progress || jsonb_build_object('after', after);
    answer := resume_these(p_namespace, coalesce(ids, '{}'), staging, progress) || jsonb_build_object('more', coalesce(cardinality(ids), 0) = p_limit);
  end if;
  perform on_record(p_namespace, 'resume', p_by, p_reason, request, answer - 'runs');
  return answer;
end $$;

-- A row at a time: whatever the planner believes of a table that has just been filled, each is found by its key. Joins with
-- the ids have read the whole queue here, with the lock held.
create function resume_these(p_namespace text, p_ids text[], p_staging jsonb, p_progress jsonb) returns jsonb
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan set jit = off as $$
declare
  request uuid := p_progress ->> 'id';
  started timestamptz := p_progress ->> 'startedAt';
  tasks bigint := (p_progress ->> 'tasks')::bigint;
  tenants bigint := (p_progress ->> 'tenants')::bigint;
  last_tenant text := p_progress ->> 'lastTenant';
  every_ms double precision := case p_staging ->> 'kind'
    when 'rate' then 1000.0 / (p_staging ->> 'tasksPerSecond')::double precision
    else coalesce((p_staging ->> 'everyMs')::double precision, 0) end;
  stamp bigint;
  moment timestamptz;
  t task;
  r record;
  back bigint := 0;
  parked bigint := 0;
  runs text[] := '{}';
  last_due timestamptz;
  one text;
begin
  -- No flip commits from here to the end; the statements below see each one before it.
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  -- Somebody who looked at one of them when it was still waiting, as claim() does, may hold it to the end of a statement.
  -- That is waited for, since nobody looks again at what is passed over here; in one order, so that two never wait for each other.
  foreach one in array array(select i from unnest(p_ids) as i order by i) loop
    perform from task where namespace = p_namespace and id = one for no key update; -- as in claim()
  end loop;
  moment := clock_timestamp();
  stamp := (head_of(p_namespace)).revision;
  stamp := least(stamp, coalesce((p_progress ->> 'revision')::bigint, stamp));
  foreach one in array p_ids loop
    -- Another may have resumed it by now.
    select * into t from task where namespace = p_namespace and id = one;
    if not found or t.state not in ('discarded', 'unknown') then continue; end if;
    select * into r from ruling(p_namespace, t.keys, t.halted_by, stamp, t.critical, moment);
    if r.doomed then continue; end if;
    if last_tenant is distinct from coalesce(t.tenant, '') then
      last_tenant := coalesce(t.tenant, '');
      tenants := tenants + 1;
    end if;
    t.due_at := greatest(t.due_at, started + interval '1 millisecond' * every_ms
      * case p_staging ->> 'kind' when 'rate' then tasks + back when 'tenants' then tenants - 1 else 0 end);
    update task set state = case when r.halted then 'parked' else 'queued' end,
      admitted_revision = stamp,
      resumed_by = request,
      parked_at = case when r.halted then moment end,
      halted_by = case when r.halted then t.halted_by end,
      ended_at = null, ended_why = null,
      due_at = t.due_at
    where namespace = p_namespace and id = one;
    back := back + 1;
    parked := parked + r.halted::integer;
    runs := runs || t.run;
    last_due := greatest(last_due, t.due_at);
  end loop;
  return jsonb_build_object('tasks', back, 'parked', parked, 'runs', (select coalesce(jsonb_agg(distinct run), '[]') from unnest(runs) as run),
    'lastDueInMs', coalesce(greatest(0, extract(epoch from last_due - clock_timestamp()) * 1000), 0),
    'progress', p_progress || jsonb_build_object('revision', stamp, 'tasks', tasks + back, 'tenants', tenants, 'lastTenant', last_tenant));
end $$;

-- Ledger and compensations ------------------------------------------------------------------------------------------------

create function compensation_json(c compensation) returns jsonb language sql stable as $$
  select jsonb_build_object('id', c.id, 'capability', c.capability, 'by', c.asked_by, 'reason', c.reason, 'outcome', c.outcome)
$$;

-- One page of landed and unknown effects: looks at so many intents, in the order of their key, and answers where it ended.
-- Nothing is locked, so that a stop never waits for a long ledger.
create function ledger(p_namespace text, p_after bigint, p_incarnation text, p_seq bigint, p_limit integer) returns jsonb
language plpgsql stable security definer set search_path from current as $$
begin
  perform guard();
  perform head_of(p_namespace);
  return (
    with page as materialized (
      select i.* from intent i where (i.incarnation, i.seq) > (p_incarnation, p_seq) order by i.incarnation, i.seq limit p_limit
    ), placed as materialized (
      -- An intent is before a flip iff its transaction is visible in the snapshot that the flip took. Many share a transaction.
      select x.xid, coalesce((select f.revision from flip f where f.namespace = p_namespace and not pg_visible_in_snapshot(x.xid, f.snapshot)
          order by f.revision desc limit 1), 0) as after_revision
      from (select distinct xid from page where namespace = p_namespace) as x
    ), entry as (
      select p.*, placed.after_revision, coalesce(o.kind, 'unknown') as outcome, c as compensation
      from page p join placed using (xid)
      left join outcome o on o.incarnation = p.incarnation and o.seq = p.seq
      left join compensation c on c.incarnation = p.incarnation and c.seq = p.seq
      where p.namespace = p_namespace and coalesce(o.kind, 'unknown') in ('landed', 'unknown') and placed.after_revision >= coalesce(p_after, 0)
    )
    select jsonb_build_object(
      'entries', (select coalesce(jsonb_agg(jsonb_build_object('incarnation', e.incarnation, 'seq', e.seq, 'run', e.run, 'tenant', e.tenant,
          'feature', e.feature, 'agent', e.agent, 'capability', e.capability, 'access', e.access, 'idempotencyKey', e.idempotency_key,
          'outcome', e.outcome, 'afterRevision', e.after_revision, 'at', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
          'compensation', case when (e.compensation).id is not null then compensation_json(e.compensation) end)), '[]') from entry e),
      'next', (select jsonb_build_object('incarnation', incarnation, 'seq', seq) from page order by incarnation desc, seq desc limit 1),
      'more', (select count(*) from page) = p_limit)
  );
end $$;

create function admit_compensation(p_namespace text, p_incarnation text, p_seq text, p_capability text, p_by text, p_reason text)
returns jsonb language plpgsql security definer set search_path from current as $$
declare
  request text := jsonb_build_object('incarnation', p_incarnation, 'seq', p_seq, 'capability', p_capability)::text;
  answer jsonb := asker_refusal(p_by, p_reason);
  number bigint := case when p_seq ~ '^\d{1,18}$' then p_seq::bigint end;
  outcome text;
  issued compensation;
begin
  perform guard();
  perform head_of(p_namespace);
  if answer is null and coalesce(text_length(p_capability), 0) not between 1 and 300 then
    answer := refusal('COMPENSATION_INVALID', format('the capability of a compensation is %s; expected a path such as write/refund', shown(to_jsonb(p_capability))));
  end if;
  if answer is null then
    select coalesce(o.kind, 'unknown') into outcome
    from intent i left join outcome o on o.incarnation = i.incarnation and o.seq = i.seq
    where i.namespace = p_namespace and i.incarnation = p_incarnation and i.seq = number;
    if outcome is null or outcome not in ('landed', 'unknown') then
      answer := refusal('LEDGER_ENTRY_UNKNOWN', format('effect %s of incarnation %s %s; name an entry of the ledger', coalesce(p_seq, 'without a number'),
        shown(to_jsonb(p_incarnation)), coalesce('did not land (' || outcome || '), so that there is nothing to compensate', 'is not in the journal')));
    end if;
  end if;
  if answer is null then
    insert into compensation (namespace, incarnation, seq, capability, asked_by, reason)
    values (p_namespace, p_incarnation, number, p_capability, p_by, p_reason)
    on conflict (incarnation, seq) do nothing returning * into issued;
    answer := jsonb_build_object('isNew', found);
    -- A later statement: it sees the one that was in the way.
    if not found then select * into issued from compensation c where c.incarnation = p_incarnation and c.seq = number; end if;
    answer := answer || jsonb_build_object('compensation', compensation_json(issued));
  end if;
  return on_record(p_namespace, 'compensation', p_by, p_reason, request, answer);
end $$;

-- Records what became of it. What is certain stays; `unknown` may still be found out.
create function close_compensation(p_namespace text, p_id text, p_outcome text, p_detail text) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  issued compensation;
  answer jsonb;
begin
  perform guard();
  perform head_of(p_namespace);
  select * into issued from compensation c where c.namespace = p_namespace and c.id::text = p_id for update;
  if not found then answer := refusal('COMPENSATION_UNKNOWN', format('no compensation %s was issued here', shown(to_jsonb(p_id))));
  elsif p_outcome is null or p_outcome not in ('landed', 'failed', 'unknown', 'blocked') then
    answer := refusal('COMPENSATION_INVALID', format('the outcome of compensation %s is %s; expected landed, failed, unknown or blocked', p_id, shown(to_jsonb(p_outcome))));
  else
    if issued.outcome is null or issued.outcome = 'unknown' then
      update compensation c set outcome = p_outcome, detail = p_detail, ended_at = clock_timestamp() where c.id = issued.id;
      issued.outcome := p_outcome;
    end if;
    answer := jsonb_build_object('outcome', issued.outcome);
  end if;
  return on_record(p_namespace, 'outcome', coalesce(issued.asked_by, ''), coalesce(p_detail, ''),
    jsonb_build_object('id', p_id, 'outcome', p_outcome)::text, answer);
end $$;

grant execute on function
  declare_contract(text, text, text, text), red_reasons(text, text[], boolean), set_critical(text, text, text, text),
  resume(text, text, text, text, text, text, integer), ledger(text, bigint, text, bigint, integer),
  admit_compensation(text, text, text, text, text, text), close_compensation(text, text, text, text) to killdrill_flipper;
