import type { Mutant } from './mutant.ts';

export const countsFreshnessFromAYoungStore: Mutant = {
  name: 'counts-freshness-from-a-young-store',
  bug: "takes the machine's uptime for the store's: a store that has only just started gives leases and admits intents before anybody could tell it of a stop",
  removes: ["store's age"],
  property: 'fails_closed',
  scenario: 'store-lost',
  sql: `
    alter function age_ms() rename to age_ms_unmodified;
    create function age_ms() returns double precision language plpgsql volatile as $$
    declare
      age double precision := age_ms_unmodified();
    begin
      if age < 600 and not exists (select from drill_mutant) then
        insert into drill_mutant (name, input, unmodified, mutated)
        values ('counts-freshness-from-a-young-store', jsonb_build_object('ageMs', age), '"young"', '"fresh"');
      end if;
      return age + 86400000;
    end $$;`,
  bend: () => ({}),
};
