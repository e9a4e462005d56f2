-- In plpgsql, because its temporary table exists only when it runs. By nested loop, because that table has no statistics.
CREATE OR REPLACE FUNCTION pgsim.store_lists(dead integer[], moved integer[]) RETURNS integer
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    known integer[];
    own integer[] := '{}';
BEGIN
    DELETE FROM similarity AS s WHERE s.id = ANY(dead);
    -- An upsert would lock each row before it changes it, and log that too.
    WITH changed AS (
        UPDATE similarity AS s
        SET neighbours = i.neighbours, distances = i.distances, reach = i.reach
        FROM pg_temp.incoming_similarity AS i
        WHERE s.id = i.id
        RETURNING s.id
    )
    SELECT coalesce(array_agg(c.id), '{}') INTO known FROM changed AS c;
    IF cardinality(known) < (SELECT count(*) FROM pg_temp.incoming_similarity) THEN
        WITH added AS (
            INSERT INTO similarity AS s (id, neighbours, distances, reach)
            SELECT i.id, i.neighbours, i.distances, i.reach FROM pg_temp.incoming_similarity AS i
            WHERE NOT EXISTS (SELECT FROM unnest(known) AS k (id) WHERE k.id = i.id)
            ON CONFLICT (id) DO UPDATE
            SET neighbours = excluded.neighbours, distances = excluded.distances, reach = excluded.reach
            RETURNING s.id
        )
        SELECT coalesce(array_agg(a.id), '{}') INTO own FROM added AS a;
    END IF;
    PERFORM store_reaches(dead || moved || known || own);
    RETURN cardinality(known) + cardinality(own);
END
$$;

COMMENT ON FUNCTION pgsim.store_lists(integer[], integer[]) IS
'Internal: stores the lists of the temporary table incoming_similarity and deletes those of the dead recordings; the number of stored '
'lists. It stores the reaches of these lists, and of those that have moved. The caller holds refresh_lock().';
