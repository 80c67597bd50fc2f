import type { Mutant } from './mutant.ts';

export const reParksAfterRelease: Mutant = {
  name: 're-parks-after-release',
  bug: 'keeps what a stop has halted in its midst parked, and parks it again, after the release: it never asks whether that stop is still open',
  removes: ['queue'],
  property: 'queue_honours_policy',
  scenario: 'park',
  sql: `
    alter function ruling(text, text[], text, bigint, boolean, timestamptz) rename to ruling_unmodified;
    create function ruling(p_namespace text, p_keys text[], p_halted_by text, p_stamp bigint, p_critical boolean, p_now timestamptz)
    returns table (doomed boolean, halted boolean) language sql stable as $$
      select r.doomed, r.halted or p_halted_by is not null and exists (select from engagement e
        where e.namespace = p_namespace and e.id = p_halted_by and not (e.mode = 'halt_noncritical' and p_critical))
      from ruling_unmodified(p_namespace, p_keys, p_halted_by, p_stamp, p_critical, p_now) as r
    $$;

    create function mutant_proves_itself() returns trigger language plpgsql security definer set search_path from current as $$
    begin
      insert into drill_mutant (name, input, unmodified, mutated)
      select 're-parks-after-release', jsonb_build_object('task', t.id, 'haltedBy', t.halted_by), to_jsonb(u), to_jsonb(m)
      from task t
        cross join lateral ruling(t.namespace, t.keys, t.halted_by, t.admitted_revision, t.critical, clock_timestamp()) as m
        cross join lateral ruling_unmodified(t.namespace, t.keys, t.halted_by, t.admitted_revision, t.critical, clock_timestamp()) as u
      where t.namespace = new.namespace and t.state = 'parked' and m is distinct from u
        and not exists (select from drill_mutant)
      limit 1;
      return null;
    end $$;
    create trigger mutant_proves_itself after update on sweep for each row when (new.kind = 'release')
      execute function mutant_proves_itself();`,
  bend: () => ({}),
};
