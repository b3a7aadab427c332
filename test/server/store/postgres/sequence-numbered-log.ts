/**
 * The known trap, for showing that the checker sees it: the same tables and the same program, but records are
 * numbered by a sequence of the database, which counts when a transaction writes and not when it commits.
 */

/** Views in place of the tables: numbers come from the sequence, and no counter is locked until the commit. */
export const NUMBER_BY_SEQUENCE = `
  create sequence change_numbers;
  alter table change_log rename to change_log_kept;
  create view change_log as
    select "only", pruned_through,
      (select case when is_called then last_value else 0 end from change_numbers) as latest from change_log_kept;
  create function take_numbers() returns trigger language plpgsql as $$
  begin
    if new.latest > old.latest then
      perform pg_advisory_lock(1);
      for i in 1 .. new.latest - old.latest loop
        new.latest := nextval('change_numbers');
      end loop;
      perform pg_advisory_unlock(1);
    end if;
    return new;
  end $$;
  create trigger takes_numbers instead of update on change_log
    for each row execute function take_numbers()`
