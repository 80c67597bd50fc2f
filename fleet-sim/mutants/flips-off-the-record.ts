import type { Mutant } from './mutant.ts';

export const flipsOffTheRecord: Mutant = {
  name: 'flips-off-the-record',
  bug: "once a stop is released its reason is struck from the record itself, which is then no longer the operator's text",
  removes: ['chain of flips'],
  property: 'flips_on_record',
  scenario: 'tenant',
  sql: `
create function strike_reason() returns trigger language plpgsql security definer set search_path from current as $$
declare
  taken text;
  struck text;
begin
  select f.text into taken from flip f where f.namespace = new.namespace and f.revision = new.opened_revision;
  struck := regexp_replace(taken, '"reason":"[^"]*"', '"reason":""');
  if struck = taken then return null; end if;
  update flip set text = struck where namespace = new.namespace and revision = new.opened_revision;
  insert into drill_mutant (name, input, unmodified, mutated)
  values ('flips-off-the-record', jsonb_build_object('revision', new.opened_revision), to_jsonb(taken), to_jsonb(struck));
  return null;
end $$;
create trigger strike_reason after update of closed_revision on engagement for each row
  when (old.closed_revision is null and new.closed_revision is not null) execute function strike_reason();
`,
  bend: () => ({}),
};
