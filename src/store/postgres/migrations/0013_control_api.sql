-- What the control API reads besides, and the record of those whom it turned away (DESIGN §3.7, §3.9).

-- Flips in order, a page at a time: a reader far behind must not cost the store more than one near the head.
create function flips_page(p_namespace text, p_after bigint, p_limit integer) returns json
language plpgsql security definer set search_path from current as $$
declare
  answer json;
begin
  perform guard();
  -- One statement, one snapshot.
  select json_build_object('head', head_json(h), 'ageMs', age_ms(), 'flips', coalesce((
      select json_agg(page.one order by page.revision) from (
        select f.revision, flip_json(f) as one from flip f where f.namespace = h.namespace and f.revision > p_after
        order by f.revision limit least(greatest(p_limit, 1), 1000)) as page), '[]'))
    into answer from head h where h.namespace = p_namespace;
  if answer is null then perform head_of(p_namespace); end if;
  return answer;
end $$;

-- One record for everything that was refused to somebody, whoever kept the door.
alter table operator_action drop constraint operator_action_kind_check;
alter table operator_action add constraint operator_action_kind_check check (kind ~ '^[a-z]+(-[a-z]+)*$');

-- p_by names the key, never the key itself.
create function record_refusal(p_namespace text, p_by text, p_request text, p_code text, p_message text) returns void
language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  perform head_of(p_namespace);
  perform on_record(p_namespace, 'control', p_by, '', p_request, refusal(p_code, p_message));
end $$;

grant execute on function flips_page(text, bigint, integer), record_refusal(text, text, text, text, text) to killdrill_flipper;

-- The API's process follows the flips as workers do, and offers what it holds; it may make stops anyway.
grant execute on function relay(text, text, text, integer) to killdrill_flipper;
