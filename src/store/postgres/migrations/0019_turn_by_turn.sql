-- As in 0015, but now is after the wait for whoever takes the turn at the same moment. Read before that wait, the other's beginning
-- lay in the future, as if a clock had been set back, and both had the turn.
create or replace function take_canary_turn(p_namespace text, p_token text, p_by text, p_term_ms double precision, p_every_ms double precision)
returns jsonb language plpgsql security definer set search_path from current as $$
declare
  term constant interval := p_term_ms * interval '1 millisecond';
  every constant interval := p_every_ms * interval '1 millisecond';
  now timestamptz;
  last canary_turn;
begin
  perform guard();
  perform head_of(p_namespace);
  -- One that nobody has had yet, so that there is a row to wait for.
  insert into canary_turn (namespace, token, held_by, began_at, until) values (p_namespace, '', '', '-infinity', '-infinity')
  on conflict (namespace) do nothing;
  perform from canary_turn where namespace = p_namespace for no key update;
  now := clock_timestamp();
  select * into last from canary_turn where namespace = p_namespace;
  -- Times that a clock which was set back has left in the future hold up nobody for longer than a term, or an interval.
  if last.began_at <= now and last.until > now then
    return jsonb_build_object('kind', 'taken', 'by', last.held_by, 'forMs', extract(epoch from last.until - now) * 1000);
  end if;
  if last.began_at <= now and last.began_at + every > now then
    return jsonb_build_object('kind', 'early', 'inMs', extract(epoch from last.began_at + every - now) * 1000);
  end if;
  update canary_turn set token = p_token, held_by = p_by, began_at = now, until = now + term where namespace = p_namespace;
  return '{"kind": "mine"}';
end $$;
