CREATE OR REPLACE FUNCTION pgsim.take_stale(most integer) RETURNS TABLE (id integer, old_vector vector)
LANGUAGE sql VOLATILE
SET search_path FROM CURRENT
AS $$
    -- Exactly the events seen here are taken: one that commits later, though numbered lower, is left.
    WITH taken AS (
        DELETE FROM stale AS s
        WHERE s.event IN (SELECT o.event FROM stale AS o ORDER BY o.event LIMIT most)
        RETURNING s.id, s.old_vector, s.xact
    ), kept AS (
        INSERT INTO rebuild_event (id, old_vector)
        SELECT t.id, t.old_vector FROM taken AS t, rebuild AS r
        WHERE r.finished_at IS NULL AND NOT pg_visible_in_snapshot(t.xact, r.snapshot)
    )
    SELECT t.id, t.old_vector FROM taken AS t;
$$;

COMMENT ON FUNCTION pgsim.take_stale(integer) IS
'Takes the oldest changes off pgsim.stale for a refresh, under refresh_lock(); what an unfinished rebuild has not seen is '
'kept for its end.';
