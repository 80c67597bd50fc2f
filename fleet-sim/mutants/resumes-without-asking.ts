import type { Mutant } from './mutant.ts';

export const resumesWithoutAsking: Mutant = {
  name: 'resumes-without-asking',
  bug: 'a release queues again what its stop had discarded, though no operator resumed it',
  removes: ["discard as a task's end"],
  property: 'resume_respects_halt',
  scenario: 'way-back',
  sql: `
create function resume_on_release() returns trigger language plpgsql security definer set search_path from current as $$
begin
  with back as (
    update task set state = 'queued', admitted_revision = new.revision, ended_at = null
    where namespace = new.namespace and state = 'discarded' returning id
  )
  insert into drill_mutant (name, input, unmodified, mutated)
  select 'resumes-without-asking', jsonb_build_object('release', new.revision, 'task', min(id), 'tasks', count(*)),
    '"discarded"', '"queued"'
  from back having count(*) > 0;
  return null;
end $$;
-- The row that a release leaves behind is written in its own statement.
create trigger resume_on_release after insert on sweep for each row when (new.kind = 'release')
  execute function resume_on_release();
`,
  bend: () => ({}),
};
