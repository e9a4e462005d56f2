CREATE OR REPLACE FUNCTION pgsim.nearest_matching(
    query vector, n integer, f pgsim.recording_filter DEFAULT NULL,
    except_id integer DEFAULT NULL, listed_share double precision DEFAULT NULL, m pgsim.measure DEFAULT NULL
) RETURNS TABLE (id integer, distance real)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- Where the matching rows are far from the query, up to so many are scanned (about 0.3 s) for an exact answer.
    worst_case CONSTANT integer := 200000;
    -- The number of matching rows is estimated from so many rows.
    sampled CONSTANT real := 2000;
    -- The conditions that count for the estimate: the others leave out few recordings.
    counted CONSTANT recording_filter := ROW(
        f.genre, f.label, f.year_from, f.year_to, f.length_from, f.length_to, NULL, NULL, NULL, NULL);
    unfiltered CONSTANT boolean := counted IS NULL;
    -- The HNSW index is asked for more than n, since it misses recordings at the end of its answer. With a filter it
    -- has looked at many more rows, so that a smaller margin will do.
    wanted CONSTANT integer := greatest(CASE WHEN unfiltered THEN 100 ELSE 60 END, 2 * n + n / 2);
    total real;
    affordable integer;
    matching integer;
    found integer[];
    distances real[];
    reached boolean;
BEGIN
    IF m.factors IS NOT NULL AND m.slice IS NULL THEN
        IF m.approximate THEN
            RETURN QUERY
            SELECT c.id, distance(r.vector, query, m) AS distance
            FROM nearest_matching(query, greatest(1000, 10 * n), f, except_id) AS c INNER JOIN recording AS r ON c.id = r.id
            ORDER BY distance ASC, r.mbid ASC
            LIMIT n;
        ELSE
            RETURN QUERY SELECT e.id, e.distance FROM nearest_exact(query, n, f, except_id, m) AS e;
        END IF;
        RETURN;
    END IF;

    -- Before the first ANALYZE, estimate from the size of the table: a row takes about 500 bytes.
    SELECT CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 500.0 ELSE c.reltuples END
    INTO total FROM pg_class AS c WHERE c.oid = 'recording'::regclass;
    -- Looking at a row through the index costs about as much as scanning four rows.
    affordable := greatest(1000, sqrt(4.0 * wanted * total));
    IF unfiltered THEN
        matching := total;
    ELSE
        -- Skipped where the list says that many rows match.
        IF coalesce(listed_share, 0) * total <= affordable THEN
            EXECUTE '
                WITH matching AS MATERIALIZED (
                    SELECT r.id, r.mbid, distance(r.vector, $1, $2) AS distance
                    FROM recording AS r
                    WHERE r.vector IS NOT NULL AND matches(r, $3) AND r.id IS DISTINCT FROM $4
                    LIMIT $5
                ), nearest AS MATERIALIZED (
                    SELECT m.id, m.distance FROM matching AS m ORDER BY m.distance, m.mbid LIMIT $6
                )
                SELECT (SELECT count(*) FROM matching), array(SELECT id FROM nearest), array(SELECT distance FROM nearest)'
            INTO matching, found, distances
            USING query, m, f, except_id, affordable + 1, n;
            IF matching <= affordable THEN
                RETURN QUERY SELECT u.id, u.distance FROM unnest(found, distances) AS u (id, distance);
                RETURN;
            END IF;
        END IF;
        -- REPEATABLE: the same question has the same answer.
        EXECUTE '
            SELECT greatest($1, count(*) / $2)
            FROM recording AS r TABLESAMPLE SYSTEM (100 * $2) REPEATABLE (0)
            WHERE r.vector IS NOT NULL AND matches(r, $3)'
        INTO matching
        USING matching, least(1, sampled / greatest(total, 1)), counted;
    END IF;

    -- Where the list holds few of the matching rows, these are far from the query.
    IF matching > affordable
        AND (
            matching > worst_case OR listed_share IS NULL
            OR listed_share >= 0.5 * matching / greatest(total, matching)
        )
    THEN
        -- Without a filter, search for the seed itself too: an index that does not find it does not reach its
        -- neighbours either.
        SELECT
            array_agg(a.id) FILTER (WHERE a.id IS DISTINCT FROM except_id),
            array_agg(a.distance) FILTER (WHERE a.id IS DISTINCT FROM except_id),
            bool_or(a.distance = 0)
        INTO found, distances, reached
        FROM nearest_approximate(
            query, wanted + 1, f, CASE WHEN NOT f IS NULL THEN except_id END,
            CASE WHEN f IS NULL THEN least(1000, wanted) ELSE 400 END,
            least(2000000000.0, greatest(20000.0, 4.0 * wanted * total / matching))::integer, m
        ) AS a;
        -- Where more rows than were fetched tie, only a scan finds those with the least mbids.
        IF (reached OR except_id IS NULL OR NOT f IS NULL)
            AND cardinality(found) >= wanted AND distances[n] < distances[wanted]
        THEN
            RETURN QUERY SELECT u.id, u.distance FROM unnest(found[:n], distances[:n]) AS u (id, distance);
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT e.id, e.distance FROM nearest_exact(query, n, f, except_id, m) AS e;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_matching(vector, integer, pgsim.recording_filter, integer, double precision, pgsim.measure) IS
'Internal: the n matching recordings nearest to a vector, nearest first; fewer only where fewer match. It scans the matching rows where '
'they are few, else it searches the HNSW index, and scans where the index finds too little. By another measure it searches that '
'measure''s own index, or reorders the max(1000, 10n) nearest where the measure is approximate, else it scans.';
