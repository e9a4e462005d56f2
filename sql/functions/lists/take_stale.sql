CREATE OR REPLACE FUNCTION pgsim.take_stale(events bigint[]) RETURNS TABLE (id integer, old_vector vector)
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    WITH taken AS (
        DELETE FROM stale AS s WHERE s.event = ANY(events) RETURNING s.id, s.old_vector, s.xact
    ), kept AS (
        INSERT INTO rebuild_event (id, old_vector)
        SELECT t.id, t.old_vector FROM taken AS t, rebuild AS r
        WHERE r.finished_at IS NULL AND NOT pg_visible_in_snapshot(t.xact, r.snapshot)
    )
    SELECT t.id, t.old_vector FROM taken AS t;
$$;

COMMENT ON FUNCTION pgsim.take_stale(bigint[]) IS
'Internal: removes these changes from pgsim.stale and returns them for a refresh; a change that an unfinished rebuild has not seen is '
'kept for the end of the rebuild. The caller holds refresh_lock().';
