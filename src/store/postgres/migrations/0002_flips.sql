-- Switches: the chain of flips, where it ends, and which engagements are open (DESIGN §3.4, §3.5, §3.8).

create table head (
  namespace text primary key,
  epoch text not null,
  revision bigint not null default 0 check (revision >= 0),
  hash text not null default '',
  created_at timestamptz not null default clock_timestamp()
);

create table flip (
  namespace text not null,
  revision bigint not null check (revision > 0),
  epoch text not null,
  hash text not null,
  previous_hash text not null,
  text text not null,
  signature text,
  id text not null,
  kind text not null check (kind in ('stop', 'release')),
  scope text not null check (scope in ('global', 'tenant', 'feature', 'capability', 'agent', 'run')),
  target text not null check (scope <> 'global' or target = '*'),
  mode text check (mode in ('halt_noncritical', 'halt_all', 'emergency')),
  queue text check (queue in ('discard', 'park', 'drain')),
  -- Taken under the exclusive lock: an intent is before this flip iff its xid is visible here. No clock decides.
  snapshot pg_snapshot not null,
  at timestamptz not null,
  primary key (namespace, revision),
  unique (namespace, id),
  check ((kind = 'stop') = (mode is not null and queue is not null))
);

create table engagement (
  namespace text not null,
  id text not null,
  opened_revision bigint not null,
  closed_revision bigint check (closed_revision > opened_revision),
  scope text not null,
  target text not null,
  mode text not null,
  queue text not null,
  primary key (namespace, id)
);
create index engagement_open on engagement (namespace) where closed_revision is null;
create index engagement_discard on engagement (namespace, opened_revision) where queue = 'discard';

-- The key of the lock that orders flips (exclusive) against intents, enqueues and claims (shared).
create function fence_key(p_namespace text) returns bigint language sql immutable parallel safe as $$
  select hashtextextended('killdrill fence ' || p_namespace, 0)
$$;

create function flip_channel(p_namespace text) returns text language sql immutable as $$
  select 'killdrill_' || left(encode(sha256(convert_to(p_namespace, 'UTF8')), 'hex'), 32)
$$;

create function head_of(p_namespace text) returns head language plpgsql as $$
declare
  found_head head;
begin
  select * into found_head from head where namespace = p_namespace;
  if not found then
    raise exception using errcode = 'KD000', detail = 'NAMESPACE_UNKNOWN',
      message = format('namespace %L is not in this database; run `killdrill migrate` for it', p_namespace);
  end if;
  return found_head;
end $$;

create function head_json(h head) returns json language sql stable as $$
  select json_build_object('epoch', h.epoch, 'revision', h.revision, 'hash', h.hash)
$$;

create function flip_json(f flip) returns json language sql stable as $$
  select json_build_object('epoch', f.epoch, 'revision', f.revision, 'hash', f.hash, 'text', f.text, 'signature', f.signature)
$$;

create function flips_json(p_namespace text, p_after bigint) returns json language sql stable as $$
  select coalesce(json_agg(flip_json(f) order by f.revision), '[]') from flip f
  where f.namespace = p_namespace and f.revision > p_after
$$;

-- How a head that a caller names stands to the store's: equal, prefix or diverged.
create function compare_head(h head, p_epoch text, p_revision bigint, p_hash text) returns text language plpgsql stable as $$
begin
  if p_epoch = h.epoch and p_revision = h.revision and p_hash = h.hash then return 'equal'; end if;
  if p_epoch is distinct from h.epoch or p_revision >= h.revision then return 'diverged'; end if;
  if p_revision = 0 and p_hash = '' then return 'prefix'; end if;
  perform from flip where namespace = h.namespace and revision = p_revision and hash = p_hash;
  return case when found then 'prefix' else 'diverged' end;
end $$;

-- Length as JavaScript counts it: characters beyond U+FFFF are two.
create function text_length(value text) returns integer language sql immutable as $$
  select length(value) + length(regexp_replace(value, '[^\U00010000-\U0010FFFF]', '', 'g'))
$$;

-- What is wrong with a flip's text, or null. As strict as parseFlip(): a flip that workers cannot read would keep every
-- registry from ever reaching the head again.
create function flip_fault(body jsonb) returns text language plpgsql immutable as $$
declare
  strings text[] := array['at', 'id', 'kind', 'namespace', 'reason', 'scope', 'source', 'target', 'triggeredBy'];
  expected text[];
  field record;
begin
  if jsonb_typeof(body) <> 'object' then return 'it is no JSON object'; end if;
  if body ->> 'kind' = 'stop' then strings := strings || array['mode', 'queue'];
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
  if body ->> 'kind' = 'stop' then return null; end if;
  if jsonb_typeof(body -> 'engagements') <> 'array' or jsonb_array_length(body -> 'engagements') not between 1 and 1000 then
    return 'its engagements are no list of 1 to 1000 ids';
  end if;
  perform from jsonb_array_elements(body -> 'engagements') as e
    where jsonb_typeof(e) <> 'string' or text_length(e #>> '{}') not between 1 and 300;
  return case when found then 'one of its engagements is no id' end;
end $$;

create function read_flip(p_namespace text, p_text text) returns jsonb language plpgsql as $$
declare
  body jsonb;
  fault text;
begin
  begin
    body := p_text::jsonb;
    fault := flip_fault(body);
  exception when data_exception then
    fault := sqlerrm;
  end;
  if body is null or fault is not null then
    raise exception using errcode = 'KD000', detail = 'FLIP_UNREADABLE',
      message = 'the store cannot read a flip''s text: ' || coalesce(fault, 'there is none');
  end if;
  if body ->> 'namespace' <> p_namespace then
    raise exception using errcode = 'KD000', detail = 'FLIP_NAMESPACE',
      message = format('the flip is of namespace %L, but this store answers for %L', body ->> 'namespace', p_namespace);
  end if;
  return body;
end $$;

-- The flip that an id already names; refuses an id that comes with another text.
create function known_flip(p_namespace text, p_id text, p_text text) returns flip language plpgsql as $$
declare
  known flip;
begin
  select * into known from flip where namespace = p_namespace and id = p_id;
  if found and known.text is distinct from p_text then
    raise exception using errcode = 'KD000', detail = 'FLIP_ID_REUSED',
      message = format('flip id %L was used with another text at revision %s; ids are unique for ever, take a new one', p_id, known.revision);
  end if;
  return known;
end $$;

create function close_engagements(p_namespace text, p_ids text[], p_revision bigint) returns void language plpgsql as $$
declare
  missing text;
begin
  select string_agg(format('%L (%s)', named.id, coalesce('closed at revision ' || e.closed_revision, 'unknown')), ', ' order by named.id)
    into missing
    from (select distinct unnest(p_ids) as id) as named
    left join engagement e on e.namespace = p_namespace and e.id = named.id
    where e.id is null or e.closed_revision is not null;
  if missing is not null or coalesce(cardinality(p_ids), 0) = 0 then
    raise exception using errcode = 'KD000', detail = 'ENGAGEMENT_NOT_OPEN',
      message = format('the release names engagements that are not open: %s; name only those that are', coalesce(missing, 'none at all'));
  end if;
  update engagement set closed_revision = p_revision where namespace = p_namespace and id = any (p_ids);
end $$;

-- Puts one flip at the end of the chain. The caller holds nothing; the exclusive lock is taken here and kept to the end
-- of the transaction, which is this one statement of the client.
create function put_flip(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer) returns flip language plpgsql as $$
declare
  body jsonb := read_flip(p_namespace, p_text);
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
    insert into engagement (namespace, id, opened_revision, scope, target, mode, queue)
    values (p_namespace, f.id, f.revision, f.scope, f.target, f.mode, f.queue);
  else
    perform close_engagements(p_namespace, array(select jsonb_array_elements_text(body -> 'engagements')), f.revision);
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

-- Makes a flip durable. One autocommit statement of the client.
create function flip(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer default 150) returns json
language plpgsql security definer set search_path from current as $$
declare
  f flip;
begin
  perform guard();
  f := put_flip(p_namespace, p_text, p_signature, p_lock_timeout_ms);
  return json_build_object('head', head_json(head_of(p_namespace)), 'ageMs', age_ms(), 'record', flip_json(f));
end $$;

-- Takes a stop that somebody already holds: put-if-absent. Needs no right of its own; a release is refused.
create function relay(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer default 150) returns json
language plpgsql security definer set search_path from current as $$
declare
  body jsonb;
  f flip;
  closed bigint;
begin
  perform guard();
  body := read_flip(p_namespace, p_text);
  if body ->> 'kind' is distinct from 'stop' then
    raise exception using errcode = 'KD000', detail = 'RELAY_REFUSED',
      message = format('only a stop may be relayed, and flip %L is of kind %L; releases go through the control plane', body ->> 'id', body ->> 'kind');
  end if;
  -- Most relays offer what is already there; they need no lock.
  f := known_flip(p_namespace, body ->> 'id', p_text);
  if f.revision is null then
    f := put_flip(p_namespace, p_text, p_signature, p_lock_timeout_ms);
  end if;
  select closed_revision into closed from engagement where namespace = p_namespace and id = f.id;
  return json_build_object('kind', case when closed is null then 'open' else 'closed' end, 'revision', f.revision,
    'head', head_json(head_of(p_namespace)), 'ageMs', age_ms());
end $$;

-- Everything that is open, and the head, in one snapshot: one statement reads both.
create function load(p_namespace text) returns json language plpgsql security definer set search_path from current as $$
declare
  answer json;
begin
  perform guard();
  select json_build_object('head', head_json(h), 'ageMs', age_ms(), 'open', coalesce((
      select json_agg(flip_json(f) order by f.revision)
      from engagement e join flip f on f.namespace = e.namespace and f.revision = e.opened_revision
      where e.namespace = h.namespace and e.closed_revision is null), '[]'))
    into answer from head h where h.namespace = p_namespace;
  if answer is null then perform head_of(p_namespace); end if;
  return answer;
end $$;

create function flips_after(p_namespace text, p_epoch text, p_revision bigint, p_hash text) returns json
language plpgsql security definer set search_path from current as $$
declare
  answer json;
begin
  perform guard();
  -- One statement, one snapshot: the functions in it are stable and see what it sees.
  select case compare_head(h, p_epoch, p_revision, p_hash)
      when 'diverged' then json_build_object('kind', 'diverged', 'head', head_json(h), 'ageMs', age_ms())
      else json_build_object('kind', 'flips', 'head', head_json(h), 'ageMs', age_ms(), 'flips', flips_json(p_namespace, p_revision)) end
    into answer from head h where h.namespace = p_namespace;
  if answer is null then perform head_of(p_namespace); end if;
  return answer;
end $$;

create function open_engagements(p_namespace text) returns json language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  perform head_of(p_namespace);
  return (select coalesce(json_agg(json_build_object('revision', f.revision, 'text', f.text) order by f.revision), '[]')
    from engagement e join flip f on f.namespace = e.namespace and f.revision = e.opened_revision
    where e.namespace = p_namespace and e.closed_revision is null);
end $$;

-- Terminates the backends whose transaction holds the shared lock now and still holds it 10 ms later, so that a worker
-- that only passes through is spared. Never touches a holder of the exclusive lock: that is another flip.
-- Runs with the caller's rights (pg_signal_backend), not the owner's.
create function terminate_holders(p_namespace text) returns integer language plpgsql set search_path from current as $$
declare
  key bigint := fence_key(p_namespace);
  held text[];
  holding record;
  terminated integer := 0;
begin
  held := array(select s.holder from shared_holders(key) as s);
  perform pg_sleep(0.01);
  for holding in select s.pid from shared_holders(key) as s where s.holder = any (held) loop
    begin
      if pg_terminate_backend(holding.pid) then terminated := terminated + 1; end if;
    exception when insufficient_privilege then null; -- a superuser's session: not ours to end
    end;
  end loop;
  return terminated;
end $$;

create function shared_holders(p_key bigint) returns table (pid integer, holder text) language sql volatile as $$
  select l.pid, l.pid || ' ' || l.virtualtransaction from pg_locks l
  where l.locktype = 'advisory' and l.mode = 'ShareLock' and l.granted and l.objsubid = 1
    and l.database = (select oid from pg_database where datname = current_database())
    and l.classid::bigint = (p_key >> 32) & 4294967295 and l.objid::bigint = p_key & 4294967295
    and l.pid <> pg_backend_pid()
$$;

grant execute on function flip(text, text, text, integer), open_engagements(text), load(text),
  flips_after(text, text, bigint, text), terminate_holders(text), fence_key(text), shared_holders(bigint) to killdrill_flipper;
grant execute on function relay(text, text, text, integer), load(text), flips_after(text, text, bigint, text) to killdrill_worker;
