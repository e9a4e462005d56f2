CREATE OR REPLACE PROCEDURE pgsim.refresh_similarity(INOUT changed integer DEFAULT NULL, INOUT lists integer DEFAULT NULL)
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    list_length CONSTANT integer := (SELECT c.list_length FROM collection AS c);
    ids integer[];
    affected integer[];
BEGIN
    -- One refresher at a time: the second waits, and then sees what the first has done.
    PERFORM pg_advisory_xact_lock('similarity_a'::regclass::oid::bigint);

    -- Exactly the events seen here are taken: one that commits later, though numbered lower, is left.
    WITH taken AS (DELETE FROM stale RETURNING id)
    SELECT coalesce(array_agg(DISTINCT taken.id), '{}') INTO ids FROM taken;
    changed := cardinality(ids);

    -- A list is affected when its owner has none yet or has changed, when it holds a changed recording,
    -- when a changed recording is now as near as its last member, or when it is shorter than it could be.
    SELECT coalesce(array_agg(owner.id), '{}') INTO affected
    FROM recording AS owner
    LEFT JOIN similarity AS s ON owner.id = s.id
    WHERE
        owner.vector IS NOT NULL
        AND (
            s.id IS NULL
            OR owner.id = ANY(ids)
            OR s.neighbours && ids
            OR (changed > 0 AND cardinality(s.neighbours) < list_length)
            OR EXISTS (
                SELECT FROM recording AS r
                WHERE
                    r.id = ANY(ids)
                    AND r.vector IS NOT NULL
                    AND (r.vector <-> owner.vector)::real <= s.distances[cardinality(s.distances)]
            )
        );

    DELETE FROM similarity AS s
    WHERE s.id = ANY(ids) AND NOT EXISTS (SELECT FROM recording AS r WHERE r.id = s.id AND r.vector IS NOT NULL);

    INSERT INTO similarity (id, neighbours, distances, reach)
    SELECT e.id, e.neighbours, e.distances, e.reach FROM exact_neighbours(affected, list_length) AS e
    ON CONFLICT (id) DO UPDATE
    SET neighbours = excluded.neighbours, distances = excluded.distances, reach = excluded.reach;
    lists := cardinality(affected);
END
$$;

COMMENT ON PROCEDURE pgsim.refresh_similarity(integer, integer) IS
'Brings the matrix up to date: CALL pgsim.refresh_similarity(). Returns how many recordings had changed, and how many lists were made anew.';
