CREATE OR REPLACE FUNCTION pgsim.refresh_batch(most integer, OUT changed integer, OUT lists integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    list_length CONSTANT integer := (SELECT c.list_length FROM collection AS c);
    others integer;
    ids integer[];
    -- An array of vectors cannot be declared without naming pgvector's schema, before PostgreSQL 17.
    old_vectors question_seed[];
    linked integer[];
    short integer[];
BEGIN
    IF most IS NULL OR most < 1 THEN
        RAISE EXCEPTION 'most is %, but must be 1 or more', coalesce(most::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'such as refresh_batch(1000)';
    END IF;
    PERFORM refresh_lock();
    -- Lock it before any other table, as TRUNCATE does.
    LOCK TABLE recording IN ACCESS SHARE MODE;
    changed := 0;
    lists := 0;
    IF NOT EXISTS (SELECT FROM stale) AND mark_unlisted(most) = 0 THEN
        RETURN;
    END IF;
    -- Take exactly the events seen here: one with a lower number may be committed later.
    SELECT array_agg(DISTINCT t.id), array_agg(plain_seed(t.old_vector)) FILTER (WHERE t.old_vector IS NOT NULL)
    INTO ids, old_vectors
    FROM take_stale(ARRAY(SELECT s.event FROM stale AS s ORDER BY s.event LIMIT most)) AS t;
    changed := coalesce(cardinality(ids), 0);
    IF changed = 0 THEN
        RETURN;
    END IF;

    DELETE FROM similarity AS s
    WHERE s.id = ANY(ids) AND NOT EXISTS (SELECT FROM recording AS r WHERE r.id = s.id AND r.vector IS NOT NULL);

    -- Update the lists of other recordings in place: changed recordings leave them, and those as near as the last
    -- member enter. A list is complete up to its old last member, and can be too short after it has lost some.
    SELECT count(*) - 1 INTO others FROM recording AS r WHERE r.vector IS NOT NULL;
    -- A list with the old vector of a changed recording has it within its last distance, but for rounding.
    WITH point AS (
        SELECT r.id, r.vector FROM recording AS r WHERE r.id = ANY(ids) AND r.vector IS NOT NULL
        UNION ALL
        SELECT NULL, o.vector FROM unnest(old_vectors) AS o
    ), link AS (
        SELECT
            s.id,
            array_agg(p.id) FILTER (WHERE p.id IS NOT NULL) AS entrants,
            array_agg(d.distance) FILTER (WHERE p.id IS NOT NULL) AS apart
        FROM similarity AS s
        INNER JOIN recording AS owner ON s.id = owner.id AND owner.vector IS NOT NULL
        CROSS JOIN point AS p
        CROSS JOIN LATERAL (SELECT l2(p.vector, owner.vector)::real) AS d (distance)
        WHERE
            s.id <> ALL(ids)
            AND (cardinality(s.neighbours) < list_length OR d.distance <= s.distances[list_length] * (1 + 1e-5))
        GROUP BY s.id
    ), merged AS (
        UPDATE similarity AS s
        SET neighbours = m.neighbours, distances = m.distances, reach = m.reach
        FROM link AS k
        INNER JOIN similarity AS old ON k.id = old.id
        CROSS JOIN LATERAL merged_list(old.neighbours, old.distances, k.entrants, k.apart, ids, list_length) AS m
        WHERE s.id = old.id AND (m.neighbours <> old.neighbours OR m.distances <> old.distances)
        RETURNING s.id, m.complete
    )
    SELECT
        coalesce(array_agg(m.id), '{}'),
        coalesce(array_agg(m.id) FILTER (WHERE m.complete < least(list_length, others)), '{}')
    INTO linked, short
    FROM merged AS m;

    INSERT INTO similarity AS s (id, neighbours, distances, reach)
    SELECT e.id, e.neighbours, e.distances, e.reach FROM exact_neighbours(ids || short, list_length) AS e
    ON CONFLICT (id) DO UPDATE
    SET neighbours = excluded.neighbours, distances = excluded.distances, reach = excluded.reach;
    PERFORM store_reaches(ids || linked), place_on_map(ids);
    SELECT cardinality(linked) + count(*) INTO lists FROM recording AS r WHERE r.id = ANY(ids) AND r.vector IS NOT NULL;
END
$$;

COMMENT ON FUNCTION pgsim.refresh_batch(integer) IS
'Brings the matrix up to date with the oldest changes of recordings, in the caller''s transaction. Returns the number of
changes, and of lists written; 0 changes mean that the matrix is up to date.

- most: greatest number of changes.

Raises an error for a number below 1, in a transaction that is not READ COMMITTED, and if another session changes the
matrix for longer than ten seconds.';
