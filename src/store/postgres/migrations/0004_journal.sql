-- The journal: every effect's intent, and what became of it (DESIGN §3.3, §3.4, §3.10).

create table intent (
  incarnation text not null,
  seq bigint not null,
  namespace text not null,
  run text not null,
  tenant text,
  feature text,
  agent text not null,
  lineage text[] not null,
  capability text not null,
  access text not null check (access in ('read', 'write')),
  idempotency_key text not null,
  deadline_ms double precision not null,
  task text,
  claim_token uuid,
  -- Its place against a flip: before it iff this is visible in the flip's snapshot.
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default clock_timestamp(),
  primary key (incarnation, seq)
);
create index intent_claim on intent (claim_token) where claim_token is not null;

-- Insert-only. No foreign key: the outcome of a batch that was given up may have no intent.
create table outcome (
  incarnation text not null,
  seq bigint not null,
  kind text not null check (kind in ('landed', 'failed', 'unknown', 'blocked')),
  detail text,
  at timestamptz not null default clock_timestamp(),
  primary key (incarnation, seq)
);

-- Lets a batch in, or nothing of it. An intent that shows a claim needs the task row to carry that claim still. The row
-- is locked (FOR KEY SHARE) because a re-claim runs under the same shared lock: without it, a re-claim that looked for open
-- intents before this insert committed would hand the task to a second worker. SKIP LOCKED, because this statement holds
-- up stops while it waits: a row that is locked is being re-claimed, ended or given back, and the claim is as good as gone.
create function admit_intents(p_namespace text, p_minimum_age_ms double precision, p_epoch text, p_revision bigint, p_hash text,
  p_incarnation text, p_seqs bigint[], p_runs text[], p_tenants text[], p_features text[], p_agents text[], p_lineages text[],
  p_capabilities text[], p_accesses text[], p_keys text[], p_deadlines_ms double precision[], p_tasks text[], p_tokens text[])
returns jsonb language plpgsql security definer set search_path from current as $$
declare
  verdict fence_verdict := fence(p_namespace, p_minimum_age_ms, p_epoch, p_revision, p_hash);
  admitted integer;
begin
  if verdict.kind <> 'admitted' then return verdict.answer; end if;
  with held as materialized (
    select t.id, t.claim_token from task t
    where t.namespace = p_namespace and t.id = any (p_tasks) and t.state = 'running'
    for key share skip locked
  )
  insert into intent (incarnation, seq, namespace, run, tenant, feature, agent, lineage, capability, access, idempotency_key,
    deadline_ms, task, claim_token)
  select p_incarnation, b.seq, p_namespace, b.run, b.tenant, b.feature, b.agent, b.lineage::text[], b.capability, b.access, b.key,
    b.deadline_ms, b.task, held.claim_token
  from unnest(p_seqs, p_runs, p_tenants, p_features, p_agents, p_lineages, p_capabilities, p_accesses, p_keys, p_deadlines_ms,
    p_tasks, p_tokens)
    as b (seq, run, tenant, feature, agent, lineage, capability, access, key, deadline_ms, task, token)
  left join held on held.id = b.task and held.claim_token::text = b.token
  where b.task is null or held.id is not null;
  get diagnostics admitted = row_count;
  if admitted = cardinality(p_seqs) then return verdict.answer || '{"disowned": []}'; end if;
  return verdict.answer || jsonb_build_object('disowned', array(
    select s from unnest(p_seqs) as s
    where not exists (select from intent i where i.incarnation = p_incarnation and i.seq = s)));
end $$;

create function record_outcomes(p_namespace text, p_incarnation text, p_seqs bigint[], p_kinds text[], p_details text[])
returns void language plpgsql security definer set search_path from current as $$
begin
  perform guard();
  insert into outcome (incarnation, seq, kind, detail)
  select p_incarnation, b.seq, b.kind, b.detail from unnest(p_seqs, p_kinds, p_details) as b (seq, kind, detail)
  on conflict do nothing;
end $$;

grant execute on function
  admit_intents(text, double precision, text, bigint, text, text, bigint[], text[], text[], text[], text[], text[], text[], text[],
    text[], double precision[], text[], text[]),
  record_outcomes(text, text, bigint[], text[], text[]) to killdrill_worker;
