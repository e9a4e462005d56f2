CREATE OR REPLACE FUNCTION pgsim.begin_run(command text) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    kept CONSTANT integer := 1000;
    result integer;
    holder integer;
BEGIN
    UPDATE run AS r SET outcome = 'broken off', finished_at = clock_timestamp()
    WHERE r.outcome IS NULL AND NOT is_running(r.id);
    -- The last one of each command that was done stays: status() shows it.
    DELETE FROM run AS r
    WHERE r.id <= (SELECT n.id FROM run AS n ORDER BY n.id DESC OFFSET kept - 1 LIMIT 1)
        AND r.outcome IS NOT NULL
        AND r.id NOT IN (SELECT max(d.id) FROM run AS d WHERE d.outcome = 'done' GROUP BY d.command);
    INSERT INTO run AS r (command) VALUES (begin_run.command) RETURNING r.id INTO result;
    -- Before the row is committed, so that nobody sees it without.
    IF NOT pg_try_advisory_lock_shared(hashtext('pgsim.run'), result) THEN
        SELECT l.pid INTO holder FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.pid <> pg_backend_pid()
            AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
            AND l.classid = hashtext('pgsim.run')::oid AND l.objid = result::oid;
        RAISE EXCEPTION 'process % holds the lock of run %, which is for that run alone', holder, result
            USING ERRCODE = 'lock_not_available', HINT = format('end it: SELECT pg_terminate_backend(%s)', holder);
    END IF;
    RETURN result;
END
$$;

COMMENT ON FUNCTION pgsim.begin_run(text) IS
'Internal: the number of a new run, whose lock this session holds; an error where another session has taken it. It notes which earlier '
'runs were broken off, and deletes all but the newest thousand.';
