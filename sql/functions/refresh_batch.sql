CREATE OR REPLACE FUNCTION pgsim.refresh_batch(most integer, OUT changed integer, OUT lists integer)
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
DECLARE
    list_length CONSTANT integer := (SELECT c.list_length FROM collection AS c);
    ids integer[];
    affected integer[];
BEGIN
    PERFORM refresh_lock();
    SELECT coalesce(array_agg(DISTINCT t.id), '{}') INTO ids FROM take_stale(most) AS t;
    changed := cardinality(ids);
    IF changed = 0 THEN
        SELECT coalesce(array_agg(r.id), '{}') INTO ids
        FROM (
            SELECT r.id FROM recording AS r LEFT JOIN similarity AS s ON r.id = s.id
            WHERE r.vector IS NOT NULL AND s.id IS NULL
            LIMIT most
        ) AS r;
    END IF;

    -- A list is affected when its owner has changed, when it holds a changed recording, when one is now
    -- as near as its last member, or when it is shorter than it could be.
    SELECT coalesce(array_agg(owner.id), '{}') INTO affected
    FROM recording AS owner
    LEFT JOIN similarity AS s ON owner.id = s.id
    WHERE
        owner.vector IS NOT NULL
        AND cardinality(ids) > 0
        AND (
            owner.id = ANY(ids)
            OR s.neighbours && ids
            OR cardinality(s.neighbours) < list_length
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
    GET DIAGNOSTICS lists = ROW_COUNT;
END
$$;

COMMENT ON FUNCTION pgsim.refresh_batch(integer) IS
'Brings the matrix up to date with the oldest changes, in the caller''s transaction.';
