CREATE OR REPLACE FUNCTION pgsim.begin_rebuild(
    list_length integer, engine text, recall_wanted double precision, part_length integer
) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    result integer;
    shown text;
BEGIN
    PERFORM refresh_lock();
    PERFORM give_up_foreign_rebuild();
    SELECT r.id INTO result FROM rebuild AS r WHERE r.finished_at IS NULL;
    IF FOUND THEN
        RETURN result;
    END IF;

    -- A worker of a rebuild that was given up finishes its part, and then finds no other.
    DELETE FROM rebuild_part;
    shown := shown_similarity();
    IF shown = 'similarity_a' THEN
        TRUNCATE similarity_b;
    ELSE
        TRUNCATE similarity_a;
    END IF;
    DELETE FROM rebuild_event;
    INSERT INTO rebuild AS r (target, list_length, engine, recall_wanted, recordings, snapshot, cluster, database)
    SELECT
        CASE shown WHEN 'similarity_a' THEN 'similarity_b' ELSE 'similarity_a' END,
        begin_rebuild.list_length, begin_rebuild.engine, begin_rebuild.recall_wanted,
        (SELECT count(c.vector) FROM recording AS c), pg_current_snapshot(), d.cluster, d.database
    FROM this_database() AS d
    RETURNING r.id INTO result;
    INSERT INTO rebuild_part (rebuild, first_id, last_id)
    SELECT result, min(p.id), max(p.id)
    FROM (
        SELECT c.id, (row_number() OVER (ORDER BY c.id) - 1) / part_length AS part
        FROM recording AS c WHERE c.vector IS NOT NULL
    ) AS p
    GROUP BY p.part;
    NOTIFY pgsim_rebuild; -- wakes pgsim rebuild --join --follow
    RETURN result;
END
$$;

COMMENT ON FUNCTION pgsim.begin_rebuild(integer, text, double precision, integer) IS
'Internal: the number of the unfinished rebuild, or else of a new one, whose parts it makes; it notifies the channel pgsim_rebuild of a '
'new one.';
