CREATE OR REPLACE FUNCTION pgsim.recording_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    PERFORM require_own_table(TG_RELID, 'recording');
    -- In the order in which a refresh locks them.
    TRUNCATE stale, rebuild_event, similarity_a, similarity_b, reach, map_position;
    -- Workers may still write parts of it. The view does not show them, and the next rebuild empties its table first.
    DELETE FROM rebuild AS r WHERE r.finished_at IS NULL;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgsim.recording_truncated() IS
'Internal: trigger function. Empties the matrix and the map together with pgsim.recording.';
