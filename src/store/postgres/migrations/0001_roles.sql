-- Group roles (DESIGN §10). Roles belong to the whole cluster: another database's migration may be making the same ones
-- at this moment, so "somebody else made it" is success. Nobody logs in as these; login roles are granted one of them.
do $$
declare
  mend constant text := 'have a superuser run: create role killdrill_worker; create role killdrill_flipper; '
    || 'grant pg_signal_backend to killdrill_flipper; then migrate again';
begin
  if not exists (select from pg_roles where rolname = 'killdrill_worker') then
    begin
      create role killdrill_worker nologin;
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  if not exists (select from pg_roles where rolname = 'killdrill_flipper') then
    begin
      create role killdrill_flipper nologin;
    exception when duplicate_object or unique_violation then null;
    end;
  end if;
  -- A flip may have to terminate the backend of a worker that holds it up.
  for attempt in 1..10 loop
    exit when pg_has_role('killdrill_flipper', 'pg_signal_backend', 'usage');
    begin
      grant pg_signal_backend to killdrill_flipper;
    exception
      -- Two grants at once collide on the catalog's row; the next look sees the other's.
      when unique_violation or internal_error then perform pg_sleep(0.02);
    end;
  end loop;
  execute format('grant usage on schema %I to killdrill_worker, killdrill_flipper', current_schema());
exception when insufficient_privilege then
  raise exception using errcode = 'KD000', detail = 'ROLE_NOT_GRANTED',
    message = format('%I may not make the roles of killdrill ready (%s); %s', current_user, sqlerrm, mend);
end $$;

-- What every function asks first. A standby's answer or an old snapshot would renew a lease with yesterday's flips.
create function guard() returns void language plpgsql as $$
begin
  if pg_is_in_recovery() then
    raise exception using errcode = 'KD000', detail = 'STORE_NOT_PRIMARY',
      message = 'this PostgreSQL server is a standby, but only a primary may answer; point the connection at the primary';
  end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception using errcode = 'KD000', detail = 'ISOLATION_LEVEL',
      message = 'the transaction is ' || upper(current_setting('transaction_isolation'))
        || ', but the store answers in READ COMMITTED only; reset default_transaction_isolation';
  end if;
end $$;

-- Lives of the server: when each of them first answered anybody. A life begins with a start of the server, with its recovery
-- from the crash of a backend (the server process stays then, but all sessions end and statistics are discarded), and with
-- the promotion of a standby, whose own start is not in the rows that it got from its primary.
create table server_life (
  began_at timestamptz primary key,
  first_asked_at timestamptz not null
);

-- How long the store has been up, in milliseconds: since this life of the server first answered. Time spent in recovery
-- does not count, since nobody could have told it of a stop then. An operator who resets the archiver's statistics makes the
-- store look young for a moment, which only refuses.
create function age_ms() returns double precision language plpgsql volatile as $$
declare
  life timestamptz := greatest(pg_postmaster_start_time(), (select stats_reset from pg_stat_get_archiver()));
  asked timestamptz;
begin
  select first_asked_at into asked from server_life where began_at = life;
  if not found then
    insert into server_life (began_at, first_asked_at) values (life, clock_timestamp()) on conflict do nothing;
    select first_asked_at into asked from server_life where began_at = life;
  end if;
  return extract(epoch from clock_timestamp() - asked) * 1000;
end $$;

-- The only thing that a later version of killdrill may rely on in an older database, and the reverse.
create function schema_version() returns integer language sql stable security definer set search_path from current as $$
  select coalesce(max(number), 0) from migration
$$;
grant execute on function schema_version() to killdrill_worker, killdrill_flipper;
