-- Signatures (DESIGN §3.8, docs/decisions/0013). PostgreSQL cannot verify Ed25519: it keeps what it is given so that those
-- who can are not misled, and bounds what those may add who hold no right.

-- A head that somebody has signed: a row of its own, absent means unsigned.
create table head_signature (
  namespace text not null,
  revision bigint not null check (revision >= 0),
  epoch text not null,
  hash text not null,
  signature text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (namespace, revision, signature)
);

-- Other signatures that came with a flip that is there: whoever relays a stop with junk first must not hide the true one.
create table flip_signature (
  namespace text not null,
  revision bigint not null,
  signature text not null,
  at timestamptz not null default clock_timestamp(),
  primary key (namespace, revision, signature),
  foreign key (namespace, revision) references flip
);

-- Its signature came with a relay, which needs no right: one that comes from a stop-taker takes its place.
alter table flip add column relayed boolean;
create index flip_release on flip (namespace, revision) where kind = 'release';

create function check_signature(p_signature text) returns void language plpgsql immutable as $$
begin
  if octet_length(p_signature) > 300 then
    raise exception using errcode = 'KD000', detail = 'SIGNATURE_UNREADABLE',
      message = format('a signature of %s bytes was given; expected Ed25519 in base64, which has 88', octet_length(p_signature));
  end if;
end $$;

-- Keeps a signature beside a flip's own, four of a relay's at most: enough for keys being turned, too few to fill a disk.
create function keep_signature(f flip, p_signature text) returns void language sql as $$
  insert into flip_signature (namespace, revision, signature)
  select f.namespace, f.revision, p_signature
  where p_signature is not null
    and (select count(*) from flip_signature s where s.namespace = f.namespace and s.revision = f.revision) < 4
  on conflict do nothing
$$;

-- A stop-taker's signature takes the place of one that a relay brought; what was there is kept.
create function take_signature(f flip, p_signature text) returns flip language plpgsql as $$
begin
  if f.relayed is not true or p_signature is null or p_signature is not distinct from f.signature then return f; end if;
  perform keep_signature(f, f.signature);
  update flip set signature = p_signature, relayed = null where namespace = f.namespace and revision = f.revision returning * into f;
  return f;
end $$;

-- As in 0002; where release_again says so, what is closed already may be named, and counts as closed by this release.
create or replace function close_engagements(p_namespace text, p_ids text[], p_revision bigint) returns void language plpgsql as $$
declare
  missing text;
  is_again boolean := coalesce(current_setting('killdrill.again', true), '') = 'on';
begin
  select string_agg(format('%L (%s)', named.id, coalesce('closed at revision ' || e.closed_revision, 'unknown')), ', ' order by named.id)
    into missing
    from (select distinct unnest(p_ids) as id) as named
    left join engagement e on e.namespace = p_namespace and e.id = named.id
    where e.id is null or (e.closed_revision is not null and not is_again);
  if missing is not null or coalesce(cardinality(p_ids), 0) = 0 then
    raise exception using errcode = 'KD000', detail = 'ENGAGEMENT_NOT_OPEN',
      message = format('the release names engagements that are not open: %s; name only those that are', coalesce(missing, 'none at all'));
  end if;
  update engagement set closed_revision = p_revision where namespace = p_namespace and id = any (p_ids);
end $$;

-- As in 0007, and the signature of a stop that a relay brought before gives way to the one given here.
create or replace function flip(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer default 150,
  p_even_if_red text default null) returns json language plpgsql security definer set search_path from current as $$
declare
  f flip;
  body jsonb;
  code text;
begin
  perform guard();
  perform check_signature(p_signature);
  begin
    f := put_flip(p_namespace, p_text, p_signature, p_lock_timeout_ms, p_even_if_red);
  exception when sqlstate 'KD000' then
    get stacked diagnostics code = pg_exception_detail;
    if code not in ('RELEASE_NOT_GREEN', 'ENGAGEMENT_NOT_OPEN') then raise; end if;
    body := p_text::jsonb;
    return on_record(p_namespace, 'release', body ->> 'triggeredBy', body ->> 'reason', p_text, refusal(code, sqlerrm));
  end;
  f := take_signature(f, p_signature);
  if f.kind = 'release' and p_even_if_red is not null then
    body := p_text::jsonb;
    perform on_record(p_namespace, 'release', body ->> 'triggeredBy', p_even_if_red, p_text, jsonb_build_object('revision', f.revision,
      'red', red_reasons(p_namespace, array(select jsonb_array_elements_text(body -> 'engagements')), true)));
  end if;
  return json_build_object('head', head_json(head_of(p_namespace)), 'ageMs', age_ms(), 'record', flip_json(f));
end $$;

-- A release that may name what another has closed: agents that ask for signatures go on enforcing what an unsigned one closed.
create function release_again(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer default 150,
  p_even_if_red text default null) returns json language plpgsql security definer set search_path from current as $$
declare
  answer json;
begin
  perform set_config('killdrill.again', 'on', true);
  answer := flip(p_namespace, p_text, p_signature, p_lock_timeout_ms, p_even_if_red);
  perform set_config('killdrill.again', '', true);
  return answer;
end $$;

-- As in 0008; keeps what else a stop is signed with, and answers for a closed one by which release it was closed.
create or replace function relay(p_namespace text, p_text text, p_signature text, p_lock_timeout_ms integer default 150) returns json
language plpgsql security definer set search_path from current as $$
declare
  body jsonb;
  f flip;
  closed bigint;
begin
  perform guard();
  perform check_signature(p_signature);
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
    f := known_flip(p_namespace, body ->> 'id', p_text);
    if f.revision is null then
      f := put_flip(p_namespace, p_text, p_signature, p_lock_timeout_ms);
      update flip set relayed = true where namespace = p_namespace and revision = f.revision;
    end if;
  end if;
  if f.signature is distinct from p_signature then perform keep_signature(f, p_signature); end if;
  select closed_revision into closed from engagement where namespace = p_namespace and id = f.id;
  return json_build_object('kind', case when closed is null then 'open' else 'closed' end, 'revision', f.revision,
    'head', head_json(head_of(p_namespace)), 'ageMs', age_ms(),
    'release', (select flip_json(r) from flip r where r.namespace = p_namespace and r.revision = closed and r.kind = 'release'));
end $$;

create function signed_head_json(s head_signature) returns json language sql immutable as $$
  select json_build_object('epoch', s.epoch, 'revision', s.revision, 'hash', s.hash, 'signature', s.signature)
$$;

-- As load, and with what was closed, and by what, since the newest signed head, or ever. One statement, one snapshot.
create function load_proven(p_namespace text, p_all boolean) returns json language plpgsql security definer set search_path from current as $$
declare
  answer json;
begin
  perform guard();
  with h as (select * from head where namespace = p_namespace),
  since as (
    select s.* from head_signature s join h on s.namespace = h.namespace and s.epoch = h.epoch
    join flip f on f.namespace = s.namespace and f.revision = s.revision and f.hash = s.hash
    where not p_all order by s.revision desc, s.at limit 1),
  closings as (
    select e.closed_revision as revision, json_agg(flip_json(f) order by f.revision) as stops
    from engagement e join flip f on f.namespace = e.namespace and f.revision = e.opened_revision
    where e.namespace = p_namespace and e.closed_revision > coalesce((select revision from since), 0)
    group by e.closed_revision)
  select json_build_object('head', head_json(h), 'ageMs', age_ms(), 'critical', critical_capabilities(h.namespace),
      'open', coalesce((
        select json_agg(flip_json(f) order by f.revision)
        from engagement e join flip f on f.namespace = e.namespace and f.revision = e.opened_revision
        where e.namespace = h.namespace and e.closed_revision is null), '[]'),
      'released', json_build_object(
        'since', (select signed_head_json(since) from since),
        'releases', coalesce((
          select json_agg(jsonb_build_object('closed', c.stops) || flip_json(r)::jsonb order by r.revision)
          from closings c join flip r on r.namespace = p_namespace and r.revision = c.revision), '[]')))
    into answer from (select * from head where namespace = p_namespace) as h;
  if answer is null then perform head_of(p_namespace); end if;
  return answer;
end $$;

create function sign_head(p_namespace text, p_epoch text, p_revision bigint, p_hash text, p_signature text) returns json
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  perform check_signature(p_signature);
  perform from flip f where f.namespace = p_namespace and f.revision = p_revision and f.epoch = p_epoch and f.hash = p_hash;
  if not found then
    raise exception using errcode = 'KD000', detail = 'HEAD_UNKNOWN',
      message = format('the chain of %L has no flip with revision %s, that epoch and that hash; sign a head that the store answered', p_namespace, p_revision);
  end if;
  insert into head_signature (namespace, revision, epoch, hash, signature) values (p_namespace, p_revision, p_epoch, p_hash, p_signature)
  on conflict do nothing;
  return json_build_object('revision', p_revision);
end $$;

-- A page of the record as it stands, for whoever recomputes it: nothing here is trusted, so nothing is left out.
create function audit_page(p_namespace text, p_after bigint, p_limit integer) returns json
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  return json_build_object('head', head_json(head_of(p_namespace)), 'flips', coalesce((
    select json_agg(row order by revision) from (
      select f.revision, jsonb_build_object('previousHash', f.previous_hash, 'id', f.id, 'kind', f.kind,
          'signatures', coalesce((select jsonb_agg(s.signature order by s.at) from flip_signature s
            where s.namespace = f.namespace and s.revision = f.revision), '[]')) || flip_json(f)::jsonb as row
      from flip f where f.namespace = p_namespace and f.revision > p_after order by f.revision limit p_limit) as page), '[]'));
end $$;

-- A page of the engagements that are open by the table from which claims and loads answer, in order of their ids.
create function audit_open(p_namespace text, p_after text, p_limit integer) returns json
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  return coalesce((select json_agg(id order by id) from (
    select e.id from engagement e where e.namespace = p_namespace and e.closed_revision is null and e.id collate "C" > p_after collate "C"
    order by e.id collate "C" limit p_limit) as page), '[]');
end $$;

create function audit_heads(p_namespace text, p_after bigint, p_limit integer) returns json
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  return coalesce((select json_agg(signed_head_json(page) order by revision, signature) from (
    select s.* from head_signature s where s.namespace = p_namespace and s.revision > p_after
    order by s.revision fetch first p_limit rows with ties) as page), '[]');
end $$;

grant execute on function load_proven(text, boolean) to killdrill_worker, killdrill_flipper;
grant execute on function release_again(text, text, text, integer, text), sign_head(text, text, bigint, text, text),
  audit_page(text, bigint, integer), audit_open(text, text, integer), audit_heads(text, bigint, integer) to killdrill_flipper;
