CREATE OR REPLACE FUNCTION pgsim.nearest_by_rank(
    seeds integer[], queries vector[], k integer, ranking text, f pgsim.recording_filter, m pgsim.measure,
    max_per_artist integer, distinct_titles boolean, min_similarity real, titles text[], pending integer[]
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path FROM CURRENT
AS $$
DECLARE
    reaches real[];
    pool integer := candidates(k, false);
    candidates integer[];
    candidate_reaches real[];
    is_whole boolean;
    found integer[];
    distances real[];
    similarities real[];
BEGIN
    IF m.factors IS NULL THEN
        -- at distance 1 from a reach of 1 the exponent is one over the other reach
        SELECT array_agg(coalesce(1 / e.exponent, 0)::real ORDER BY s.place) INTO reaches
        FROM exponents(seeds, array_fill(1::real, ARRAY[cardinality(seeds)]), 1, pending) AS e
        INNER JOIN unnest(seeds) WITH ORDINALITY AS s (id, place) ON e.id = s.id;
    END IF;
    LOOP
        -- Every seed's nearest; whole where nobody who is not among them could qualify.
        SELECT
            coalesce(array_agg(DISTINCT n.id), '{}'),
            bool_and(coalesce(n.fetched, 0) < pool OR coalesce(n.last > similarity_bound(nullif(min_similarity, 0), reaches[q.seed]), false))
        INTO candidates, is_whole
        FROM unnest(queries) WITH ORDINALITY AS q (query, seed)
        LEFT JOIN LATERAL (
            SELECT a.id, count(*) OVER () AS fetched, max(a.distance) OVER () AS last
            FROM nearest_matching(q.query, pool, f, NULL, NULL, m) AS a
        ) AS n ON true;
        candidates := array_remove(candidates, NULL);
        IF m.factors IS NULL THEN
            SELECT array_agg((1 / e.exponent)::real ORDER BY e.id) INTO candidate_reaches
            FROM exponents(candidates, array_fill(1::real, ARRAY[cardinality(candidates)]), 1, pending) AS e;
        END IF;

        WITH pair AS (
            SELECT
                c.id,
                r.mbid,
                q.seed,
                d.distance,
                CASE
                    WHEN d.distance = 0 THEN 0
                    WHEN m.factors IS NULL THEN d.distance::double precision ^ 2 / nullif(c.reach::double precision * reaches[q.seed], 0)
                END AS exponent
            FROM unnest(candidates, candidate_reaches) AS c (id, reach)
            INNER JOIN recording AS r ON c.id = r.id
            CROSS JOIN unnest(queries) WITH ORDINALITY AS q (query, seed)
            CROSS JOIN LATERAL (SELECT distance(r.vector, q.query, m) AS distance) AS d
        ), placed AS (
            SELECT
                p.*,
                rank() OVER (
                    PARTITION BY p.seed ORDER BY CASE WHEN ranking = 'similarity' THEN p.exponent END, p.distance
                ) AS place
            FROM pair AS p
        ), averaged AS (
            SELECT
                p.id,
                p.mbid,
                avg(p.place) AS place,
                avg(p.distance)::real AS distance,
                avg(CASE
                    WHEN m.factors IS NULL THEN similarity_of(p.exponent)
                    ELSE measured_similarity(p.distance, m.sample)
                END)::real AS similarity
            FROM placed AS p
            GROUP BY p.id, p.mbid
        )
        SELECT
            array_agg(v.id ORDER BY v.place, v.distance, v.mbid),
            array_agg(v.distance ORDER BY v.place, v.distance, v.mbid),
            array_agg(v.similarity ORDER BY v.place, v.distance, v.mbid)
        INTO found, distances, similarities
        FROM averaged AS v
        WHERE min_similarity IS NULL OR v.similarity >= min_similarity;
        SELECT b.kept INTO candidates
        FROM kept_by_rules(found, distances, k, NULL, max_per_artist, distinct_titles, NULL, titles, NULL, pending) AS b;
        EXIT WHEN is_whole OR cardinality(candidates) >= k;
        pool := least(4.0 * pool, 2000000000);
    END LOOP;

    RETURN QUERY
    SELECT
        b.place::integer, r.mbid, r.artist, r.title, r.album, r.year::integer, r.genre, u.distance, u.similarity
    FROM unnest(candidates[:k]) WITH ORDINALITY AS b (id, place)
    INNER JOIN unnest(found, distances, similarities) AS u (id, distance, similarity) ON b.id = u.id
    INNER JOIN recording AS r ON b.id = r.id
    ORDER BY b.place;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_by_rank(
    integer[], vector[], integer, text, pgsim.recording_filter, pgsim.measure, integer, boolean, real, text[], integer[]
) IS
'The k matching recordings whose places in the orders of several seeds, given by id and vector, are best on average; distance '
'and similarity are means.';
