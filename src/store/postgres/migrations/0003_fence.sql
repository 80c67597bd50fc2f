-- The fence (DESIGN §3.4): work is let in only from a process whose registry is at the head.

create type fence_verdict as (kind text, revision bigint, answer jsonb);

-- Takes the shared lock and compares. The lock is taken in one statement and the head read in a later one: in READ
-- COMMITTED the later statement's snapshot then sees every flip that committed before the lock was granted, and no flip
-- commits between it and the end of this transaction.
create function fence(p_namespace text, p_minimum_age_ms double precision, p_epoch text, p_revision bigint, p_hash text)
returns fence_verdict language plpgsql as $$
declare
  h head;
  age double precision;
  verdict fence_verdict;
begin
  perform guard();
  perform pg_advisory_xact_lock_shared(fence_key(p_namespace));
  h := head_of(p_namespace);
  age := age_ms();
  verdict.kind := compare_head(h, p_epoch, p_revision, p_hash);
  -- A store just started may not have been told yet of a stop that was taken while it was away.
  if age < p_minimum_age_ms then verdict.kind := 'young'; end if;
  verdict.kind := case verdict.kind when 'equal' then 'admitted' when 'prefix' then 'stale' else verdict.kind end;
  verdict.revision := h.revision;
  verdict.answer := jsonb_build_object('kind', verdict.kind, 'head', head_json(h), 'ageMs', age);
  if verdict.kind = 'stale' then
    verdict.answer := verdict.answer || jsonb_build_object('flips', flips_json(p_namespace, p_revision));
  end if;
  return verdict;
end $$;
