-- Alerts (DESIGN §3.14): what became of each, how far each partition was worked off, and the small bus of environments
-- without Kafka. Only the flipper's role records; agents and detectors may publish.

-- The next alert to be recorded. Moves from n to n+1 in the statement that records alert n, or by place_alerts().
create table alert_position (
  namespace text not null,
  topic text not null,
  partition integer not null check (partition >= 0),
  position bigint not null check (position >= 0),
  primary key (namespace, topic, partition)
);

-- Rows are added only.
create table alert_record (
  namespace text not null,
  topic text not null,
  partition integer not null,
  position bigint not null,
  -- sha256 (hex) over what tells this message from another at the same place of a topic made anew.
  message text not null,
  kind text not null check (kind in ('flip', 'duplicate', 'stale', 'poison', 'expired')),
  detector text,
  alert_id text,
  -- sha256 (hex) of the alert's bytes.
  content text,
  flip_id text,
  code text,
  why text,
  at timestamptz not null default clock_timestamp(),
  primary key (namespace, topic, partition, position, message),
  check (kind not in ('flip', 'duplicate', 'stale') or num_nulls(detector, alert_id, content, flip_id) = 0),
  check (kind in ('flip', 'duplicate') or why is not null)
);
create index alert_record_id on alert_record (namespace, detector, alert_id) where alert_id is not null;
create index alert_record_flip on alert_record (namespace, flip_id) where flip_id is not null;
create trigger append_only before update or delete or truncate on alert_record execute function refuse_change();

-- How partitions were placed, and what was passed because the bus no longer had it. Rows are added only.
create table alert_gap (
  id bigint generated always as identity primary key,
  namespace text not null,
  topic text not null,
  partition integer not null,
  from_position bigint,
  to_position bigint not null,
  why text not null,
  at timestamptz not null default clock_timestamp()
);
create trigger append_only before update or delete or truncate on alert_gap execute function refuse_change();

-- Is asked under the flip's lock for each alert.
create index engagement_closed_switch on engagement (namespace, scope, target) where closed_revision is not null;

create function alert_position_of(p_namespace text, p_topic text, p_partition integer) returns bigint language sql volatile as $$
  select position from alert_position where namespace = p_namespace and topic = p_topic and partition = p_partition
$$;

create function alert_position(p_namespace text, p_topic text, p_partition integer) returns jsonb
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  perform head_of(p_namespace);
  return jsonb_build_object('position', alert_position_of(p_namespace, p_topic, p_partition));
end $$;

-- Puts one alert on record, and moves the position if it stands there. The caller's statement does nothing else to it.
create function keep_alert(r alert_record) returns void language plpgsql as $$
begin
  r.at := clock_timestamp();
  insert into alert_record select r.* on conflict do nothing;
  update alert_position p set position = r.position + 1
  where p.namespace = r.namespace and p.topic = r.topic and p.partition = r.partition and p.position = r.position;
end $$;

-- Before the flip's lock, never after it: a stop must not wait under it for a row that somebody else has.
create function lock_partition(p_namespace text, p_topic text, p_partition integer, p_lock_timeout_ms integer) returns void
language plpgsql as $$
begin
  perform set_config('lock_timeout', p_lock_timeout_ms || 'ms', true);
  perform set_config('idle_in_transaction_session_timeout', '1s', true);
  perform from alert_position p
  where p.namespace = p_namespace and p.topic = p_topic and p.partition = p_partition for update;
end $$;

-- The flip's lock, as put_flip takes it: what comes in later statements has a snapshot that was taken under it.
create function lock_flips(p_namespace text, p_lock_timeout_ms integer) returns void language plpgsql as $$
begin
  if current_setting('synchronous_commit') not in ('on', 'remote_apply') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
  perform set_config('lock_timeout', p_lock_timeout_ms || 'ms', true);
  perform set_config('idle_in_transaction_session_timeout', '1s', true);
  perform pg_advisory_xact_lock(fence_key(p_namespace));
end $$;

-- The release that makes an alert stale: later than what its detector saw, it had closed an engagement of the same detector
-- on the same switch. Null when there is none. Called under the lock.
create function stale_by(p_namespace text, p_body jsonb, p_observed bigint, p_raised timestamptz) returns bigint language sql volatile as $$
  select max(e.closed_revision)
  from engagement e
  join flip opened on opened.namespace = e.namespace and opened.revision = e.opened_revision
  join flip closed on closed.namespace = e.namespace and closed.revision = e.closed_revision
  where e.namespace = p_namespace and e.scope = p_body ->> 'scope' and e.target = p_body ->> 'target'
    and e.closed_revision is not null
    and case when p_observed is null then closed.at > p_raised else e.closed_revision > p_observed end
    and opened.text::jsonb ->> 'source' = p_body ->> 'source'
    and opened.text::jsonb ->> 'triggeredBy' = p_body ->> 'triggeredBy'
$$;

-- Records one alert in one statement: its flip, or that it is a duplicate or stale. p_raised_ms is the wall clock at which it
-- was raised, skew added; p_observed the last revision that its detector saw, or null.
create function trip_alert(p_namespace text, p_topic text, p_partition integer, p_position bigint, p_message text,
  p_detector text, p_alert_id text, p_content text, p_flip_id text, p_text text, p_signature text,
  p_observed bigint, p_raised_ms double precision, p_lock_timeout_ms integer default 150) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  body jsonb := read_flip(p_namespace, p_text);
  r alert_record;
  f flip;
  closed bigint;
  answer jsonb;
begin
  perform guard();
  if body ->> 'kind' <> 'stop' or body ->> 'id' <> p_flip_id or body ->> 'triggeredBy' <> p_detector then
    raise exception using errcode = 'KD000', detail = 'FLIP_UNREADABLE',
      message = format('the stop of alert %L does not bear its flip id %L and its detector %L', p_alert_id, p_flip_id, p_detector);
  end if;
  perform lock_partition(p_namespace, p_topic, p_partition, p_lock_timeout_ms);
  perform lock_flips(p_namespace, p_lock_timeout_ms);
  r.namespace := p_namespace;
  r.topic := p_topic;
  r.partition := p_partition;
  r.position := p_position;
  r.message := p_message;
  r.detector := p_detector;
  r.alert_id := p_alert_id;
  r.content := p_content;
  r.flip_id := p_flip_id;
  -- By id alone: two executors may be told of different queue policies, and the first one's flip counts.
  select * into f from flip where namespace = p_namespace and id = p_flip_id;
  if f.revision is null then
    perform from alert_record a
    where a.namespace = p_namespace and a.detector = p_detector and a.alert_id = p_alert_id and a.content <> p_content;
    if found then
      r.kind := 'reused';
    else
      closed := stale_by(p_namespace, body, p_observed, to_timestamp(p_raised_ms / 1000));
      if closed is not null then
        r.kind := 'stale';
        r.why := 'closed at revision ' || closed;
        answer := jsonb_build_object('revision', closed);
      else
        f := put_flip(p_namespace, p_text, p_signature, p_lock_timeout_ms);
      end if;
    end if;
  end if;
  if f.revision is not null then
    perform from alert_record a
    where a.namespace = p_namespace and a.flip_id = p_flip_id and a.kind = 'flip'
      and (a.topic, a.partition, a.position, a.message) <> (p_topic, p_partition, p_position, p_message);
    r.kind := case when found then 'duplicate' else 'flip' end;
    select e.closed_revision into closed from engagement e where e.namespace = p_namespace and e.id = p_flip_id;
    answer := jsonb_build_object('record', flip_json(f), 'isOpen', closed is null);
  end if;
  if r.kind <> 'reused' then perform keep_alert(r); end if;
  return coalesce(answer, '{}') || jsonb_build_object('kind', r.kind, 'head', head_json(head_of(p_namespace)), 'ageMs', age_ms(),
    'position', alert_position_of(p_namespace, p_topic, p_partition));
end $$;

-- Records alerts that come to no stop, in this order and in one statement. Where one has a stop that somebody may hold early,
-- the lock decides whether a relay of it came before.
create function refuse_alerts(p_namespace text, p_topic text, p_partition integer, p_positions bigint[], p_messages text[],
  p_kinds text[], p_codes text[], p_whys text[], p_flip_ids text[], p_lock_timeout_ms integer default 150) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  r alert_record;
begin
  perform guard();
  perform head_of(p_namespace);
  perform lock_partition(p_namespace, p_topic, p_partition, p_lock_timeout_ms);
  if exists (select from unnest(p_flip_ids) as id where id is not null) then
    perform lock_flips(p_namespace, p_lock_timeout_ms);
  end if;
  r.namespace := p_namespace;
  r.topic := p_topic;
  r.partition := p_partition;
  for place in 1..coalesce(cardinality(p_positions), 0) loop
    r.position := p_positions[place];
    r.message := p_messages[place];
    r.kind := p_kinds[place];
    r.code := p_codes[place];
    r.why := left(p_whys[place], 2000);
    r.flip_id := p_flip_ids[place];
    if r.kind not in ('poison', 'expired') then
      raise exception using errcode = 'KD000', detail = 'ALERT_KIND',
        message = format('an alert without a stop is recorded as poison or expired, found %L', r.kind);
    end if;
    perform keep_alert(r);
  end loop;
  return jsonb_build_object('position', alert_position_of(p_namespace, p_topic, p_partition));
end $$;

-- Places a partition, if it stands at p_from; null for one that was never placed.
create function place_alerts(p_namespace text, p_topic text, p_partition integer, p_from bigint, p_to bigint, p_why text)
returns jsonb language plpgsql security definer set search_path from current as $$
declare
  stands bigint;
begin
  perform guard();
  perform head_of(p_namespace);
  insert into alert_position (namespace, topic, partition, position) values (p_namespace, p_topic, p_partition, p_to)
  on conflict do nothing;
  if found then
    insert into alert_gap (namespace, topic, partition, from_position, to_position, why)
    values (p_namespace, p_topic, p_partition, null, p_to, p_why);
    return jsonb_build_object('position', p_to);
  end if;
  -- In a later statement: whoever was first has committed by now.
  update alert_position set position = p_to
  where namespace = p_namespace and topic = p_topic and partition = p_partition and position = p_from;
  if found then
    insert into alert_gap (namespace, topic, partition, from_position, to_position, why)
    values (p_namespace, p_topic, p_partition, p_from, p_to, p_why);
  end if;
  stands := alert_position_of(p_namespace, p_topic, p_partition);
  return jsonb_build_object('position', stands);
end $$;

-- As in 0002; the stop of an alert that the store has refused is answered as closed, so that whoever holds it lets it go.
create or replace function relay(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer default 150) returns json
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
    perform lock_flips(p_namespace, p_lock_timeout_ms);
    perform from alert_record a
    where a.namespace = p_namespace and a.flip_id = body ->> 'id' and a.kind in ('stale', 'poison')
      and not exists (select from flip k where k.namespace = p_namespace and k.id = body ->> 'id');
    if found then
      return json_build_object('kind', 'closed', 'revision', 0, 'head', head_json(head_of(p_namespace)), 'ageMs', age_ms());
    end if;
    f := put_flip(p_namespace, p_text, p_signature, p_lock_timeout_ms);
  end if;
  select closed_revision into closed from engagement where namespace = p_namespace and id = f.id;
  return json_build_object('kind', case when closed is null then 'open' else 'closed' end, 'revision', f.revision,
    'head', head_json(head_of(p_namespace)), 'ageMs', age_ms());
end $$;

-- The small bus ------------------------------------------------------------------------------------------------------------

-- One partition a topic. The row is locked from a publish to its commit, so that order of commit is order of position.
create table alert_topic (
  namespace text not null,
  topic text not null,
  earliest bigint not null default 0,
  next bigint not null default 0 check (next >= earliest),
  committed bigint,
  primary key (namespace, topic)
);

create table alert_message (
  namespace text not null,
  topic text not null,
  position bigint not null,
  body bytea not null check (octet_length(body) <= 1000000),
  signature text check (octet_length(signature) <= 1000),
  published_at timestamptz not null,
  primary key (namespace, topic, position)
);

create table alert_dead_letter (
  namespace text not null,
  topic text not null,
  source_topic text not null,
  partition integer not null,
  position bigint not null,
  published_ms bigint not null,
  code text not null,
  why text not null,
  body bytea not null,
  signature text,
  at timestamptz not null default clock_timestamp(),
  primary key (namespace, topic, source_topic, partition, position, published_ms)
);

create function alert_channel(p_namespace text, p_topic text) returns text language sql immutable as $$
  select 'killdrill_' || left(encode(sha256(convert_to('alerts ' || p_namespace || E'\n' || p_topic, 'UTF8')), 'hex'), 32)
$$;

create function publish_alert(p_namespace text, p_topic text, p_body text, p_signature text) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  place bigint;
begin
  perform guard();
  perform head_of(p_namespace);
  insert into alert_topic (namespace, topic, next) values (p_namespace, p_topic, 1)
  on conflict (namespace, topic) do update set next = alert_topic.next + 1
  returning next - 1 into place;
  insert into alert_message (namespace, topic, position, body, signature, published_at)
  values (p_namespace, p_topic, place, decode(p_body, 'base64'), p_signature, clock_timestamp());
  -- What comes with it is fetched: a notification holds less than an alert may.
  perform pg_notify(alert_channel(p_namespace, p_topic), '');
  return jsonb_build_object('position', place);
end $$;

create function alert_range(p_namespace text, p_topic text) returns jsonb language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  perform head_of(p_namespace);
  return coalesce((select jsonb_build_object('earliest', t.earliest, 'end', t.next, 'committed', t.committed)
    from alert_topic t where t.namespace = p_namespace and t.topic = p_topic),
    jsonb_build_object('earliest', 0, 'end', 0, 'committed', null));
end $$;

create function alerts_from(p_namespace text, p_topic text, p_from bigint, p_limit integer) returns jsonb
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  return (select coalesce(jsonb_agg(jsonb_build_object('position', m.position, 'signature', m.signature,
      'body', translate(encode(m.body, 'base64'), E'\n', ''),
      'publishedAtMs', floor(extract(epoch from m.published_at) * 1000)) order by m.position), '[]')
    from (select * from alert_message a where a.namespace = p_namespace and a.topic = p_topic and a.position >= p_from
      order by a.position limit least(greatest(p_limit, 1), 500)) as m);
end $$;

create function commit_alerts(p_namespace text, p_topic text, p_position bigint) returns jsonb
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  update alert_topic set committed = greatest(coalesce(committed, 0), p_position)
  where namespace = p_namespace and topic = p_topic and p_position <= next;
  return '{}';
end $$;

create function bury_alerts(p_namespace text, p_topic text, p_source_topic text, p_partitions integer[], p_positions bigint[],
  p_published_ms bigint[], p_codes text[], p_whys text[], p_bodies text[], p_signatures text[]) returns jsonb
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  perform head_of(p_namespace);
  insert into alert_dead_letter (namespace, topic, source_topic, partition, position, published_ms, code, why, body, signature)
  select p_namespace, p_topic, p_source_topic, l.partition, l.position, l.published_ms, l.code, l.why, decode(l.body, 'base64'), l.signature
  from unnest(p_partitions, p_positions, p_published_ms, p_codes, p_whys, p_bodies, p_signatures)
    as l (partition, position, published_ms, code, why, body, signature)
  on conflict do nothing;
  return '{}';
end $$;

-- Takes away what is older than p_before, from the beginning and without a gap.
create function forget_alerts(p_namespace text, p_topic text, p_before bigint) returns jsonb
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  update alert_topic set earliest = least(greatest(earliest, p_before), next) where namespace = p_namespace and topic = p_topic;
  delete from alert_message m using alert_topic t
  where m.namespace = p_namespace and m.topic = p_topic and t.namespace = m.namespace and t.topic = m.topic and m.position < t.earliest;
  return '{}';
end $$;

grant execute on function alert_position(text, text, integer),
  trip_alert(text, text, integer, bigint, text, text, text, text, text, text, text, bigint, double precision, integer),
  refuse_alerts(text, text, integer, bigint[], text[], text[], text[], text[], text[], integer),
  place_alerts(text, text, integer, bigint, bigint, text), alert_range(text, text), alerts_from(text, text, bigint, integer),
  commit_alerts(text, text, bigint), forget_alerts(text, text, bigint),
  bury_alerts(text, text, text, integer[], bigint[], bigint[], text[], text[], text[], text[]) to killdrill_flipper;
grant execute on function publish_alert(text, text, text, text) to killdrill_worker, killdrill_flipper;
