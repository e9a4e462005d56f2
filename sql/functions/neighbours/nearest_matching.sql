CREATE OR REPLACE FUNCTION pgsim.nearest_matching(
    s pgsim.question_seed, n integer, f pgsim.recording_filter DEFAULT NULL, m pgsim.measure DEFAULT NULL,
    is_rough boolean DEFAULT false
) RETURNS TABLE (id integer, distance real, way text, matching double precision)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 100
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- Up to so many matching rows are counted. More are estimated, from a sample of so many rows.
    few CONSTANT integer := 300;
    sampled CONSTANT real := 2000;
    -- A row that the HNSW index brings costs as much as scanning so many rows: it has compared some twenty others.
    cost CONSTANT integer := 12;
    -- In a neighbourhood of more dimensions than these, the index misses more than elsewhere.
    most_dimensions CONSTANT double precision := 24;
    -- The conditions that count for the estimate: the others leave out few recordings.
    counted CONSTANT recording_filter := ROW(
        f.genre, f.label, f.year_from, f.year_to, f.length_from, f.length_to, NULL, NULL, NULL, NULL, NULL);
    -- a policy is a condition, too
    hides CONSTANT boolean := row_security_active('recording'::regclass);
    -- The index is asked for more than n, since it misses recordings at the end of its answer.
    wanted CONSTANT integer := CASE WHEN is_rough THEN n ELSE greatest(30, 2 * n + n / 2) END;
    total double precision;
    matched double precision;
    share double precision;
    budget double precision;
    ef integer;
    needed integer;
    thorough integer;
    found integer[];
    distances real[];
    is_reached boolean;
    dimensions double precision;
BEGIN
    IF m.factors IS NOT NULL AND m.slice IS NULL THEN
        IF m.approximate THEN
            RETURN QUERY
            SELECT c.id, distance(r.vector, s.vector, m) AS distance, 'rerank', c.matching
            FROM nearest_matching(plain_seed(s.vector, s.id), greatest(1000, 10 * n), f) AS c INNER JOIN recording AS r ON c.id = r.id
            ORDER BY distance ASC, r.mbid ASC
            LIMIT n;
        ELSE
            RETURN QUERY SELECT e.id, e.distance, 'scan', NULL::double precision FROM nearest_exact(s.vector, n, f, s.id, m) AS e;
        END IF;
        RETURN;
    END IF;

    -- Before the first ANALYZE, estimate from the size of the table: a row takes about 500 bytes.
    SELECT greatest(1, CASE WHEN c.reltuples < 0 THEN pg_relation_size(c.oid) / 500.0 ELSE c.reltuples END)
    INTO total FROM pg_class AS c WHERE c.oid = 'recording'::regclass;
    matched := total;
    IF hides OR NOT counted IS NULL THEN
        EXECUTE '
            SELECT count(*) FROM (SELECT FROM recording AS r WHERE r.vector IS NOT NULL AND matches(r, $1) LIMIT $2) AS found'
        INTO matched
        USING counted, few;
        IF matched = few THEN
            -- REPEATABLE: the same question has the same answer.
            EXECUTE '
                SELECT greatest($1, count(*) / $2)
                FROM recording AS r TABLESAMPLE SYSTEM (100 * $2) REPEATABLE (0)
                WHERE r.vector IS NOT NULL AND matches(r, $3)'
            INTO matched
            USING matched, least(1, sampled / total), counted;
        END IF;
    END IF;

    -- So many of the nearest recordings hold the wanted ones, were these half as frequent there as elsewhere. Where
    -- they are rarer, the matching rows lie far from the seed, where the index leads astray.
    share := least(1, greatest(1, matched) / total);
    budget := ceil(wanted / share * CASE WHEN f IS NULL AND NOT hides THEN 1.5 ELSE 2 END) + coalesce(cardinality(f.exclude), 0);
    IF cost * budget <= matched
        AND NOT coalesce(share * s.list_length >= 5 AND cardinality(s.listed) < share * s.list_length / 2, false)
        AND (m.slice IS NOT NULL OR to_regclass('recording_vector') IS NOT NULL)
    THEN
        -- The best hnsw.ef_search for a collection of this size; pgvector takes 1000 at most. Without a filter it is worth
        -- its time only where the neighbourhood is a hard one.
        thorough := least(1000, greatest(400, 0.6 * sqrt(total)));
        ef := least(thorough, greatest(CASE WHEN f IS NULL AND NOT hides THEN 100 ELSE 400 END, budget));
        LOOP
            -- Where rows are hidden, a limit counts the others alone: then the first ef rows of the index are all looked at.
            needed := greatest(wanted, CASE WHEN hides THEN wanted * ef / budget ELSE 0 END);
            SELECT
                array_agg(a.id) FILTER (WHERE a.id IS DISTINCT FROM s.id),
                array_agg(a.distance) FILTER (WHERE a.id IS DISTINCT FROM s.id),
                bool_or(a.distance = 0)
            INTO found, distances, is_reached
            FROM nearest_approximate(
                s.vector, needed + 1, f, s.id, ef, (CASE WHEN hides THEN ef ELSE budget END)::integer, m) AS a;
            -- Where matching rows are rarer near the seed than elsewhere, or more rows tie than were fetched, of which
            -- those with the least mbids are wanted, only a scan is sure to find them.
            EXIT WHEN coalesce(cardinality(found), 0) < needed OR (distances[n] = distances[wanted] AND NOT is_rough);
            -- The number of recordings within a distance grows with that power of it.
            dimensions := CASE
                WHEN distances[n] > 0 AND NOT is_rough THEN ln(wanted::double precision / n) / ln(distances[wanted]::double precision / distances[n])
                ELSE 0
            END;
            -- An index that does not find the seed does not reach its neighbours either; nor does one that misses what
            -- the list has.
            IF (is_reached OR s.id IS NULL)
                AND (dimensions <= most_dimensions OR ef = thorough)
                AND NOT EXISTS (
                    SELECT FROM unnest(s.listed, s.listed_distances) AS l (id, distance)
                    WHERE l.distance < distances[n] AND l.id <> ALL(found))
            THEN
                RETURN QUERY SELECT u.id, u.distance, 'index', matched FROM unnest(found[:n], distances[:n]) AS u (id, distance);
                RETURN;
            END IF;
            EXIT WHEN ef = thorough OR cost * thorough >= matched;
            ef := thorough;
        END LOOP;
    END IF;
    RETURN QUERY SELECT e.id, e.distance, 'scan', matched FROM nearest_exact(s.vector, n, f, s.id, m) AS e;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_matching(pgsim.question_seed, integer, pgsim.recording_filter, pgsim.measure, boolean) IS
'Internal: the n matching recordings nearest to a seed, nearest first; fewer only where fewer match. It searches the HNSW index where '
'that costs less than scanning the matching rows, and scans them where the answer of the index cannot be trusted: too few of the '
'recordings near the seed match, the search does not find the seed itself or what its list holds, or too many tie. At worst two '
'searches and a scan: make bench-trust measured 0.8 s among a million rows, of which 700,000 match, on one core. By another measure it '
'searches that measure''s own index, or reorders the max(1000, 10n) nearest where the measure is approximate, else it scans. is_rough: '
'the first search of the index is enough, though it may miss some. way: index, scan, or rerank; matching: how many recordings match, '
'counted to 300 and estimated from there, NULL where nobody counted.';
