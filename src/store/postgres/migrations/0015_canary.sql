-- Canaries take turns (DESIGN §3.13): of two that are open at once a gate names one, so that the other would look like a stop
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

grant execute on function
  take_canary_turn(text, text, text, double precision, double precision), end_canary_turn(text, text) to killdrill_flipper;
