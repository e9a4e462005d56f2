-- SECURITY DEFINER: a role that may change recordings needs no right to pgsim.stale.
CREATE OR REPLACE FUNCTION pgsim.recording_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    PERFORM require_own_table(TG_RELID, 'recording');
    CASE TG_OP
        WHEN 'INSERT' THEN
            INSERT INTO stale (id) SELECT n.id FROM new_rows AS n WHERE n.vector IS NOT NULL;
        WHEN 'UPDATE' THEN
            INSERT INTO stale (id, old_vector)
            -- FULL: an UPDATE can change the id.
            SELECT coalesce(n.id, o.id), o.vector FROM new_rows AS n FULL JOIN old_rows AS o ON n.id = o.id
            WHERE differ(n.vector, o.vector) OR (n.mbid <> o.mbid AND n.vector IS NOT NULL);
        WHEN 'DELETE' THEN
            INSERT INTO stale (id, old_vector) SELECT o.id, o.vector FROM old_rows AS o WHERE o.vector IS NOT NULL;
    END CASE;
    IF FOUND AND (SELECT c.notifies FROM collection AS c) THEN
        NOTIFY pgsim_stale; -- wakes pgsim refresh --follow when the change is committed
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgsim.recording_changed() IS
'Internal: trigger function. Writes changes of vectors and of MBIDs, which order ties, to pgsim.stale, and notifies the channel '
'pgsim_stale where collection.notifies is true.';
