/**
 * What a drill puts into its own store, and into no other, before the fleet starts: a trigger that sees every change of a
 * task's state in the statement that makes it, a table in which a bug that is planted in the store proves itself active, and
 * a way to plant probes.
 *
 * Run by the owner, with the search path at the store's schema. The changes are ordered against flips like intents: by the
 * transaction, which is visible in a flip's snapshot or is not. A claim of a task that is `running` counts as a change too.
 */
export const QUEUE_WITNESS = `
create table drill_task_change (
  -- Changes of one task are in this order: each waited for the row that the one before had locked.
  seq bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  at timestamptz not null default clock_timestamp(),
  namespace text not null,
  task text not null,
  "from" text,
  "to" text not null,
  attempts integer not null,
  retry boolean not null,
  due timestamptz not null,
  stamp bigint not null
);

create function drill_witness_task() returns trigger language plpgsql security definer set search_path from current as $$
begin
  insert into drill_task_change (namespace, task, "from", "to", attempts, retry, due, stamp)
  values (new.namespace, new.id, case tg_op when 'UPDATE' then old.state end, new.state, new.attempts, new.retry, new.due_at,
    new.admitted_revision);
  return null;
end $$;

create trigger drill_witness_insert after insert on task for each row execute function drill_witness_task();
create trigger drill_witness_update after update of state on task for each row
  when (old.state is distinct from new.state or old.claim_token is distinct from new.claim_token)
  execute function drill_witness_task();

create table drill_mutant (
  seq bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  name text not null,
  input jsonb,
  unmodified jsonb,
  mutated jsonb
);
grant insert on drill_mutant to killdrill_worker, killdrill_flipper;

-- Puts a run into the queue beside every function that a fleet may call: no fence, no engagement is looked at. Of its class
-- like any other. A second time changes nothing.
create function drill_plant(p_namespace text, p_run text, p_tenant text, p_feature text, p_agent text, p_lineage text[],
  p_plan text, p_stamp bigint) returns void language plpgsql set search_path from current as $$
declare
  t task;
begin
  t.tenant := p_tenant; t.feature := p_feature; t.agent := p_agent; t.run := p_run; t.lineage := p_lineage;
  insert into task (namespace, id, kind, class, run, tenant, feature, agent, lineage, plan, admitted_revision)
  values (p_namespace, p_run, 'run', class_of(p_namespace, t), p_run, p_tenant, p_feature, p_agent, p_lineage, p_plan::jsonb, p_stamp)
  on conflict do nothing;
end $$;
revoke all on function drill_witness_task(), drill_plant(text, text, text, text, text, text[], text, bigint) from public;
`;
