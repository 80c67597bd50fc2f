import type { Mutant } from './mutant.ts';

export const releasesWithoutGreen: Mutant = {
  name: 'releases-without-green',
  bug: 'a release is taken while the fleet still runs the contract of its stop',
  removes: ['green check'],
  property: 'release_needs_green',
  scenario: 'way-back',
  sql: `
create or replace function refuse_red(p_namespace text, p_ids text[], p_even_if_red text) returns void language plpgsql as $$
declare
  red jsonb := red_reasons(p_namespace, p_ids, true);
begin
  if red = '[]' or coalesce(p_even_if_red, '') ~ '\\S' then return; end if;
  insert into drill_mutant (name, input, unmodified, mutated)
  values ('releases-without-green', jsonb_build_object('engagements', p_ids, 'red', red), '"refused"', '"released"');
end $$;
`,
  bend: () => ({}),
};
