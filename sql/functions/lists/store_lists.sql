-- In plpgsql, because its temporary table exists only when it runs.
CREATE OR REPLACE FUNCTION pgsim.store_lists(dead integer[]) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    stored integer;
BEGIN
    DELETE FROM similarity AS s WHERE s.id = ANY(dead);
    INSERT INTO similarity AS s (id, neighbours, distances, reach)
    SELECT i.id, i.neighbours, i.distances, i.reach FROM pg_temp.incoming_similarity AS i ORDER BY i.id
    ON CONFLICT (id) DO UPDATE
    SET neighbours = excluded.neighbours, distances = excluded.distances, reach = excluded.reach;
    GET DIAGNOSTICS stored = ROW_COUNT;
    PERFORM store_reaches(dead || ARRAY(SELECT i.id FROM pg_temp.incoming_similarity AS i));
    RETURN stored;
END
$$;

COMMENT ON FUNCTION pgsim.store_lists(integer[]) IS
'Internal: stores the lists of the temporary table incoming_similarity and deletes those of the dead recordings; the number of stored '
'lists. The caller holds refresh_lock().';
