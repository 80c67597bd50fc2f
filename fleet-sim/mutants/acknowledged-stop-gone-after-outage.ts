import type { Mutant } from './mutant.ts';

export const acknowledgedStopGoneAfterOutage: Mutant = {
  name: 'acknowledged-stop-gone-after-outage',
  bug: 'keeps what is open in the memory of the server: its next life knows of no stop until somebody names it in a release',
  removes: ['durable engagements'],
  property: 'halt_survives_restart',
  scenario: 'everything-back',
  // A life of the server begins with its first answer, which writes a row; whoever asks gets past the guard first.
  sql: `
    create function mutant_forgets() returns trigger language plpgsql security definer set search_path from current as $$
    begin
      with gone as (
        update engagement set closed_revision = 2147483647 where closed_revision is null returning id
      )
      insert into drill_mutant (name, input, unmodified, mutated)
      select 'acknowledged-stop-gone-after-outage', jsonb_build_object('engagement', id), '"open"', '"unknown"' from gone;
      return null;
    end $$;
    create trigger mutant_forgets after insert on server_life for each row execute function mutant_forgets();
    alter function guard() rename to guard_unmodified;
    create function guard() returns void language plpgsql as $$
    begin
      perform guard_unmodified();
      perform age_ms();
    end $$;
    alter function close_engagements(text, text[], bigint) rename to close_engagements_unmodified;
    create function close_engagements(p_namespace text, p_ids text[], p_revision bigint) returns void language plpgsql as $$
    begin
      update engagement set closed_revision = null
      where namespace = p_namespace and id = any (p_ids) and closed_revision = 2147483647;
      perform close_engagements_unmodified(p_namespace, p_ids, p_revision);
    end $$;`,
  bend: () => ({}),
};
