-- The small bus does not grow for ever: what was read and is older than a week is forgotten when positions are committed, from
-- the beginning and without a gap, a thousand at a time. What nobody has read yet stays.
create or replace function commit_alerts(p_namespace text, p_topic text, p_position bigint) returns jsonb
language plpgsql security definer set search_path from current as $$
declare
  t alert_topic;
  aged timestamptz := clock_timestamp() - interval '7 days';
begin
  perform guard();
  update alert_topic set committed = greatest(coalesce(committed, 0), p_position)
  where namespace = p_namespace and topic = p_topic and p_position <= next
  returning * into t;
  -- The oldest one says whether there is anything to do: one look at an index.
  perform from alert_message m
  where m.namespace = p_namespace and m.topic = p_topic and m.position = t.earliest and m.position < t.committed and m.published_at < aged;
  if found then
    perform forget_alerts(p_namespace, p_topic, coalesce((
      select min(m.position) from alert_message m
      where m.namespace = p_namespace and m.topic = p_topic and m.position > t.earliest
        and m.position < least(t.committed, t.earliest + 1000) and m.published_at >= aged), least(t.committed, t.earliest + 1000)));
  end if;
  return '{}';
end $$;
