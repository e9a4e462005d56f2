CREATE OR REPLACE FUNCTION pgsim.refresh_batch(most integer, OUT changed integer, OUT lists integer)
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
DECLARE
    list_length CONSTANT integer := (SELECT c.list_length FROM collection AS c);
    others integer;
    ids integer[];
    short integer[];
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
    lists := 0;
    IF ids = '{}' THEN
        RETURN;
    END IF;

    DELETE FROM similarity AS s
    WHERE s.id = ANY(ids) AND NOT EXISTS (SELECT FROM recording AS r WHERE r.id = s.id AND r.vector IS NOT NULL);

    -- The lists of others, in place: who is as near as the last member enters, who has changed leaves first.
    -- Up to its old last member a list is complete; one that lost members can be too short there.
    SELECT count(*) - 1 INTO others FROM recording AS r WHERE r.vector IS NOT NULL;
    WITH link AS (
        SELECT s.id, array_agg(n.id) AS entrants, array_agg(d.distance) AS apart
        FROM similarity AS s
        INNER JOIN recording AS owner ON s.id = owner.id AND owner.vector IS NOT NULL
        CROSS JOIN recording AS n
        CROSS JOIN LATERAL (SELECT (n.vector <-> owner.vector)::real) AS d (distance)
        WHERE
            n.id = ANY(ids) AND n.vector IS NOT NULL AND s.id <> ALL(ids)
            AND (cardinality(s.neighbours) < list_length OR d.distance <= s.distances[list_length])
        GROUP BY s.id
    ), merged AS (
        UPDATE similarity AS s
        SET neighbours = m.neighbours, distances = m.distances, reach = m.reach
        FROM similarity AS old
        LEFT JOIN link AS k ON old.id = k.id
        CROSS JOIN LATERAL merged_list(old.neighbours, old.distances, k.entrants, k.apart, ids, list_length) AS m
        WHERE s.id = old.id AND old.id <> ALL(ids) AND (k.id IS NOT NULL OR old.neighbours && ids)
        RETURNING s.id, m.complete
    )
    SELECT count(*), coalesce(array_agg(m.id) FILTER (WHERE m.complete < least(list_length, others)), '{}')
    INTO lists, short
    FROM merged AS m;

    INSERT INTO similarity AS s (id, neighbours, distances, reach)
    SELECT e.id, e.neighbours, e.distances, e.reach FROM exact_neighbours(ids || short, list_length) AS e
    ON CONFLICT (id) DO UPDATE
    SET neighbours = excluded.neighbours, distances = excluded.distances, reach = excluded.reach;
    SELECT lists + count(*) INTO lists FROM recording AS r WHERE r.id = ANY(ids) AND r.vector IS NOT NULL;
END
$$;

COMMENT ON FUNCTION pgsim.refresh_batch(integer) IS
'Brings the matrix up to date with the oldest changes, in the caller''s transaction.';
