-- As in 0015, but a life that lets intents in is read whether or not it reports: it is not gone (0018), and what it does would
-- fade from every metric, so that detectors call a release green which they have seen nothing of.
create or replace function journal_page(p_namespace text, p_incarnations text[], p_seqs bigint[], p_limit integer) returns jsonb
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
      and (coalesce(w.reported_at, w.registered_at) > now - interval '1 minute'
        or (select i.at from intent i where i.incarnation = w.incarnation order by i.seq desc limit 1) > now - interval '1 minute')
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
