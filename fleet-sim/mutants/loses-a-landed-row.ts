import type { Mutant } from './mutant.ts';

export const losesALandedRow: Mutant = {
  name: 'loses-a-landed-row',
  bug: 'clears up after a task that was discarded: its rows in the journal go with it, those of what landed too',
  removes: ['journal'],
  property: 'ledger_complete',
  scenario: 'tenant',
  sql: `
    create function mutant_clears_up() returns trigger language plpgsql security definer set search_path from current as $$
    declare
      landed bigint;
    begin
      with gone as (
        delete from intent i where i.claim_token = any (new.claim_tokens) returning i.incarnation, i.seq
      )
      select count(*) into landed from gone join outcome o using (incarnation, seq) where o.kind = 'landed';
      if landed > 0 and not exists (select from drill_mutant) then
        insert into drill_mutant (name, input, unmodified, mutated)
        values ('loses-a-landed-row', jsonb_build_object('task', new.id, 'landed', landed), '"kept"', '"deleted"');
      end if;
      return null;
    end $$;
    create trigger mutant_clears_up after update of state on task for each row when (new.state = 'discarded')
      execute function mutant_clears_up();`,
  bend: () => ({}),
};
