CREATE OR REPLACE FUNCTION pgsim.finish_rebuild() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    done rebuild;
BEGIN
    PERFORM refresh_lock();
    SELECT r.* INTO done FROM rebuild AS r, this_database() AS d
    WHERE r.finished_at IS NULL AND (r.cluster, r.database) IS NOT DISTINCT FROM (d.cluster, d.database);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no unfinished rebuild: the collection was emptied, or the rebuild was given up or began elsewhere'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'run pgsim rebuild again';
    END IF;
    IF EXISTS (SELECT FROM rebuild_part AS p WHERE p.rebuild = done.id AND p.done_at IS NULL) THEN
        RAISE EXCEPTION 'rebuild % has parts that are not done', done.id
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'run pgsim rebuild to continue it';
    END IF;
    -- The new lists contain what the snapshot shows. They lack the changes that refresh applied to the other table.
    DELETE FROM stale AS s WHERE pg_visible_in_snapshot(s.xact, done.snapshot);
    INSERT INTO stale (id, old_vector) SELECT e.id, e.old_vector FROM rebuild_event AS e;
    NOTIFY pgsim_stale; -- wakes a refresh that left the changes to this rebuild
    DELETE FROM rebuild_event;
    DELETE FROM rebuild_part AS p WHERE p.rebuild = done.id;
    UPDATE collection SET list_length = done.list_length;
    PERFORM fill_reaches(done.target::regclass);
    UPDATE rebuild AS r SET finished_at = clock_timestamp() WHERE r.id = done.id; -- a trigger switches the view
    IF shown_similarity() <> done.target THEN
        RAISE EXCEPTION 'the view pgsim.similarity was not switched: the trigger rebuild_finished is missing or disabled'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'run pgsim init --upgrade, then pgsim rebuild';
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.finish_rebuild() IS
'Internal: switches the view pgsim.similarity to a rebuild whose parts are all done, and marks the changes that the rebuild has not '
'seen as stale.';
