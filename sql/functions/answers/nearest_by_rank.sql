CREATE OR REPLACE FUNCTION pgsim.nearest_by_rank(
    seeds pgsim.question_seed[], k integer, ranking text, f pgsim.recording_filter, m pgsim.measure, rules pgsim.question_rules,
    pending integer[]
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    pool integer := candidates(k, false);
    least_similarity CONSTANT real := rules.min_similarity;
    is_whole boolean;
    pooled integer[];
    reaches real[];
    found integer[];
    distances real[];
    similarities real[];
    kept integer[];
BEGIN
    rules.min_similarity := NULL;  -- compared with the mean, below
    IF m.factors IS NULL THEN
        -- At distance 1 from a reach of 1, the exponent is one over the other reach.
        SELECT array_agg(plain_seed(s.vector, s.id, coalesce(1 / e.exponent, 0)::real)) INTO seeds
        FROM unnest(seeds) AS s
        INNER JOIN exponents(
            ARRAY(SELECT q.id FROM unnest(seeds) AS q), array_fill(1::real, ARRAY[cardinality(seeds)]), 1, pending
        ) AS e ON s.id = e.id;
    END IF;
    LOOP
        -- Each seed's nearest. They are all that is needed once no recording beyond them can qualify.
        SELECT
            coalesce(array_agg(DISTINCT n.id), '{}'),
            bool_and(coalesce(n.fetched, 0) < pool OR coalesce(n.last > seed_bound(s, least_similarity), false))
        INTO pooled, is_whole
        FROM unnest(seeds) AS s
        LEFT JOIN LATERAL (
            SELECT a.id, count(*) OVER () AS fetched, max(a.distance) OVER () AS last
            FROM nearest_matching(s, pool, f, m) AS a
        ) AS n ON true;
        pooled := array_remove(pooled, NULL);
        IF m.factors IS NULL THEN
            SELECT array_agg((1 / e.exponent)::real ORDER BY e.id) INTO reaches
            FROM exponents(pooled, array_fill(1::real, ARRAY[cardinality(pooled)]), 1, pending) AS e;
        END IF;

        WITH pair AS (
            SELECT
                c.id,
                r.mbid,
                s.seed,
                d.distance,
                CASE
                    WHEN d.distance = 0 THEN 0
                    WHEN m.factors IS NULL THEN d.distance::double precision ^ 2 / nullif(c.reach::double precision * s.reach, 0)
                END AS exponent
            FROM unnest(pooled, reaches) AS c (id, reach)
            INNER JOIN recording AS r ON c.id = r.id
            -- With the ordinality, which is in order, pairs are sorted seed by seed, which is quicker.
            CROSS JOIN unnest(seeds) WITH ORDINALITY AS s (id, vector, reach, listed, listed_distances, list_length, seed)
            CROSS JOIN LATERAL (SELECT distance(r.vector, s.vector, m) AS distance) AS d
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
        WHERE least_similarity IS NULL OR v.similarity >= least_similarity;
        SELECT b.kept INTO kept FROM kept_by_rules(found, distances, k, NULL, rules, NULL, pending) AS b;
        EXIT WHEN is_whole OR cardinality(kept) >= k;
        pool := least(4.0 * pool, 2000000000);
    END LOOP;

    RETURN QUERY
    SELECT
        b.place::integer, r.mbid, r.artist, r.title, r.album, r.year::integer, r.genre, u.distance, u.similarity
    FROM unnest(kept[:k]) WITH ORDINALITY AS b (id, place)
    INNER JOIN unnest(found, distances, similarities) AS u (id, distance, similarity) ON b.id = u.id
    INNER JOIN recording AS r ON b.id = r.id
    ORDER BY b.place;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_by_rank(
    pgsim.question_seed[], integer, text, pgsim.recording_filter, pgsim.measure, pgsim.question_rules, integer[]
) IS
'Internal: the k recordings that match, that the rules keep, and whose ranks in the answers of several seeds are best on average. '
'distance and similarity are means over the seeds.';
