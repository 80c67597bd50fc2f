import type { Mutant } from './mutant.ts';

export const tripsOnStale: Mutant = {
  name: 'trips-on-stale',
  bug: 'takes every alert at its word: one that a release has overtaken stops again what was opened',
  removes: ['stale rule'],
  property: 'stale_alert_ignored',
  scenario: 'stale-alert',
  // The rule is the store's, under the flip's lock: no executor could break it by itself.
  sql: `
    alter function stale_by(text, jsonb, bigint, timestamptz) rename to stale_by_unmodified;
    create function stale_by(p_namespace text, p_body jsonb, p_observed bigint, p_raised timestamptz) returns bigint
    language plpgsql volatile as $$
    declare
      overtaken bigint := stale_by_unmodified(p_namespace, p_body, p_observed, p_raised);
    begin
      if overtaken is not null and not exists (select from drill_mutant) then
        insert into drill_mutant (name, input, unmodified, mutated)
        values ('trips-on-stale', jsonb_build_object('flip', p_body ->> 'id', 'overtakenBy', overtaken), '"stale"', '"flip"');
      end if;
      return null;
    end $$;`,
  bend: () => ({}),
};
