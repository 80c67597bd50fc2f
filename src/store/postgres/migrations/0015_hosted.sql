-- What the API's process does besides: canaries that take turns, and detectors that read the journal (DESIGN §3.13, §9).

-- Canaries take turns: of two that are open at once a gate names one, so that the other would look like a stop
-- that reaches nobody. A row a namespace, overwritten; who dies in a turn is waited for until its term is over.
create table canary_turn (
  namespace text primary key,
  token text not null,
  held_by text not null,
  began_at timestamptz not null,
  until timestamptz not null
);

create function take_canary_turn(p_namespace text, p_token text, p_by text, p_term_ms double precision, p_every_ms double precision)
returns jsonb language plpgsql security definer set search_path from current as $$
declare
  now constant timestamptz := clock_timestamp();
  term constant interval := p_term_ms * interval '1 millisecond';
  every constant interval := p_every_ms * interval '1 millisecond';
  last canary_turn;
begin
  perform guard();
  perform head_of(p_namespace);
  -- Times that a clock which was set back has left in the future hold up nobody for longer than a term, or an interval.
  insert into canary_turn as t (namespace, token, held_by, began_at, until) values (p_namespace, p_token, p_by, now, now + term)
  on conflict (namespace) do update set
    token = excluded.token, held_by = excluded.held_by, began_at = excluded.began_at, until = excluded.until
  where (t.until <= now or t.began_at > now) and (t.began_at + every <= now or t.began_at > now);
  if found then return '{"kind": "mine"}'; end if;
  select * into last from canary_turn where namespace = p_namespace;
  if last.until > now then
    return jsonb_build_object('kind', 'taken', 'by', last.held_by, 'forMs', extract(epoch from last.until - now) * 1000);
  end if;
  return jsonb_build_object('kind', 'early', 'inMs', greatest(0, extract(epoch from last.began_at + every - now) * 1000));
end $$;

create function end_canary_turn(p_namespace text, p_token text) returns void
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  update canary_turn t set until = least(t.until, clock_timestamp()) where t.namespace = p_namespace and t.token = p_token;
end $$;

-- The journal as it grows, for detectors beside the fleet: intents of every worker that has said something within a minute,
-- oldest first, from where the reader stood. No index is needed for it but the key. Who reads for the first time (null)
-- begins at the end; a worker that is new to the reader is read from its last thousand intents on.
create function journal_page(p_namespace text, p_incarnations text[], p_seqs bigint[], p_limit integer) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  answer jsonb;
  now constant timestamptz := clock_timestamp();
  back constant integer := case when p_incarnations is null then 0 else 1000 end;
begin
  perform guard();
  perform head_of(p_namespace);
  with alive as (
    select w.incarnation from worker w
    where w.namespace = p_namespace and w.ended_at is null
      and coalesce(w.reported_at, w.registered_at) > now - interval '1 minute'
  ), place as materialized (
    select p.incarnation, p.seq, p.incarnation in (select a.incarnation from alive a) as is_alive
    from unnest(p_incarnations, p_seqs) as p (incarnation, seq)
    union all
    select a.incarnation, coalesce((
      select i.seq from intent i where i.incarnation = a.incarnation order by i.seq desc offset back limit 1), -1), true
    from alive a where a.incarnation <> all (coalesce(p_incarnations, '{}'))
  ), page as materialized (
    select i.* from place p cross join lateral (
      select j.* from intent j where j.incarnation = p.incarnation and j.namespace = p_namespace and j.seq > p.seq
      order by j.seq limit p_limit) as i
    order by i.at, i.incarnation, i.seq limit p_limit
  ), reached as (
    select p.incarnation, p.is_alive, p.seq, (select max(g.seq) from page g where g.incarnation = p.incarnation) as read_to
    from place p
  )
  select jsonb_build_object('nowMs', extract(epoch from now) * 1000, 'more', (select count(*) from page) = p_limit,
    'places', coalesce((
      select jsonb_agg(jsonb_build_object('incarnation', r.incarnation, 'seq', coalesce(r.read_to, r.seq)))
      from reached r where r.is_alive or r.read_to is not null), '[]'),
    'rows', coalesce((
      select jsonb_agg(jsonb_build_object('atMs', extract(epoch from g.at) * 1000, 'run', g.run, 'tenant', g.tenant,
        'feature', g.feature, 'agent', g.agent, 'capability', g.capability, 'access', g.access)
        order by g.at, g.incarnation, g.seq)
      from page g), '[]')) into answer;
  return answer;
end $$;

grant execute on function
  take_canary_turn(text, text, text, double precision, double precision), end_canary_turn(text, text),
  journal_page(text, text[], bigint[], integer) to killdrill_flipper;
