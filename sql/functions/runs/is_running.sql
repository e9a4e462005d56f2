-- A session has pgsim.run's lock of its run until it ends. On a standby the locks of the primary are not seen.
CREATE OR REPLACE FUNCTION pgsim.is_running(run integer) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT pg_is_in_recovery() OR EXISTS (
        SELECT FROM pg_locks AS l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
            AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
            AND l.classid = hashtext('pgsim.run')::oid AND l.objid = is_running.run::oid)
$$;

COMMENT ON FUNCTION pgsim.is_running(integer) IS
'Internal: whether the session is still there that began a run which has no outcome yet.';
