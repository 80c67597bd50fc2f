-- When a worker was last let in (DESIGN §3.13): a life that sends and does not report is not gone, and its gate has not been
-- tried. The newest intent of one life is one step in the primary key's index.
create or replace function worker_json(w worker, h head) returns jsonb language sql stable as $$
  select jsonb_build_object('worker', w.worker, 'incarnation', w.incarnation, 'pool', w.pool, 'version', w.version,
    'leaseMs', w.lease_ms, 'longestDeadlineMs', w.longest_deadline_ms,
    'registeredAgoMs', extract(epoch from clock_timestamp() - w.registered_at) * 1000,
    'reportedAgoMs', extract(epoch from clock_timestamp() - w.reported_at) * 1000,
    'admittedAgoMs', extract(epoch from clock_timestamp() - (
      select i.at from intent i where i.incarnation = w.incarnation order by i.seq desc limit 1)) * 1000,
    'appliedThrough', case when on_chain(w, h) then w.revision end,
    'busy', case when w.revision is null then '[]' else to_jsonb(w.busy) end, 'inFlight', w.in_flight,
    'canary', case when w.canary_revision is not null then jsonb_build_object('revision', w.canary_revision,
      'agoMs', extract(epoch from clock_timestamp() - w.canary_at) * 1000) end)
$$;
