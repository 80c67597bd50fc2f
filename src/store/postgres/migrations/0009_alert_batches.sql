-- A storm of alerts, in statements of several (DESIGN §3.14): the flip's lock is taken, and the disk waited for, once for all
-- of them.

-- As trip_alert for each, in this order; each is {position, message, detector, alertId, content, flipId, text, signature,
-- observed | raisedMs}. All or none.
create function trip_alerts(p_namespace text, p_topic text, p_partition integer, p_alerts text, p_lock_timeout_ms integer default 150)
returns jsonb language plpgsql security definer set search_path from current as $$
declare
  answers jsonb[] := '{}';
  a jsonb;
begin
  perform guard();
  -- In the order in which trip_alert takes them; from here on it waits for neither.
  perform lock_partition(p_namespace, p_topic, p_partition, p_lock_timeout_ms);
  perform lock_flips(p_namespace, p_lock_timeout_ms);
  for a in select value from jsonb_array_elements(p_alerts::jsonb) with ordinality order by ordinality loop
    answers := answers || trip_alert(p_namespace, p_topic, p_partition, (a ->> 'position')::bigint, a ->> 'message',
      a ->> 'detector', a ->> 'alertId', a ->> 'content', a ->> 'flipId', a ->> 'text', a ->> 'signature',
      (a ->> 'observed')::bigint, (a ->> 'raisedMs')::double precision, p_lock_timeout_ms);
  end loop;
  return jsonb_build_object('answers', to_jsonb(answers));
end $$;

grant execute on function trip_alerts(text, text, integer, text, integer) to killdrill_flipper;
