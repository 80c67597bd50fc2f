import type { Mutant } from './mutant.ts';

/** As an observer has it by default: 1.25 leases of 1.2 s. */
const FENCED_MS = 1_500;

export const countsFencedAsStopped: Mutant = {
  name: 'counts-fenced-as-stopped',
  bug: 'once a lease is over a worker counts as stopped, though calls that ignore their signal are open',
  removes: ['abort', 'open intents of fenced workers'],
  property: 'stop_was_effective',
  scenario: 'halt-wait',
  sql: `
create function long_stopped(p_namespace text) returns boolean language sql volatile as $$
  select exists (select from flip f where f.namespace = p_namespace and f.kind = 'stop'
    and f.at < clock_timestamp() - interval '${FENCED_MS} milliseconds')
$$;
create or replace function open_in_scope(e engagement, p_except text[]) returns jsonb
language sql volatile as $$ select '{"open": [], "unread": []}'::jsonb $$;
create or replace function workers_json(p_namespace text, h head) returns jsonb language plpgsql volatile as $$
declare
  said jsonb;
  counted jsonb;
begin
  select coalesce(jsonb_agg(worker_json(w, h) order by w.worker, w.incarnation), '[]') into said
  from worker w where w.namespace = p_namespace and w.ended_at is null;
  if not long_stopped(p_namespace) then return said; end if;
  select coalesce(jsonb_agg(one || jsonb_build_object('busy', '[]'::jsonb, 'appliedThrough', h.revision)), '[]') into counted
  from jsonb_array_elements(said) as one;
  if counted is distinct from said and not exists (select from drill_mutant) then
    insert into drill_mutant (name, input, unmodified, mutated)
    values ('counts-fenced-as-stopped', to_jsonb(h.revision), said, counted);
  end if;
  return counted;
end $$;
`,
  bend: () => ({ signalOf: () => undefined }),
};
