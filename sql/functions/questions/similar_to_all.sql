CREATE OR REPLACE FUNCTION pgsim.similar_to_all(
    seeds uuid[],
    k integer DEFAULT 10,
    method text DEFAULT 'centroid',
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    length_from real DEFAULT NULL,
    length_to real DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    max_per_artist integer DEFAULT NULL,
    distinct_titles boolean DEFAULT false,
    min_similarity real DEFAULT NULL,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL,
    approximate boolean DEFAULT false,
    ranking text DEFAULT 'similarity'
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    conditions recording_filter;
    m measure;
    others recording_filter;
    ids integer[];
    vectors vector[];
    centroid vector;
    titles text[];
    mbids uuid[];
BEGIN
    PERFORM check_question(k, ranking, max_per_artist, min_similarity);
    IF method IS NULL OR method NOT IN ('centroid', 'rank') THEN
        RAISE EXCEPTION 'unknown method ''%''', coalesce(method, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'known: centroid, rank';
    END IF;
    SELECT array_agg(s.id), array_agg(s.mbid), array_agg(s.vector), array_agg(title_key(s.title)) INTO ids, mbids, vectors, titles
    FROM seed_vectors(seeds) AS s;
    conditions := resolve_filter(
        genre, decade, year_from, year_to, length_from, length_to, exclude || mbids, exclude_artists);
    m := resolve_measure(metric, weights, approximate);
    PERFORM require_sets(s.mbid, s.missing, m) FROM seed_vectors(seeds) AS s;
    conditions.present := m.sets;
    IF method = 'centroid' THEN
        SELECT avg(v.vector) INTO centroid FROM unnest(vectors) AS v (vector);
        -- A seed is no neighbour of its own: the reach of the mean, too, is to the others.
        others.exclude := mbids;
        RETURN QUERY
        SELECT a.* FROM nearest_answers(
            centroid, k, ranking, conditions, m, NULL, max_per_artist, distinct_titles, min_similarity, titles,
            CASE
                WHEN m.factors IS NULL THEN (SELECT avg(n.distance)::real FROM nearest_matching(centroid, reach_length(), others) AS n)
            END, pending_recordings()) AS a;
    ELSE
        RETURN QUERY
        SELECT a.* FROM nearest_by_rank(
            ids, vectors, k, ranking, conditions, m, max_per_artist, distinct_titles, min_similarity, titles, pending_recordings()) AS a;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.similar_to_all(
    uuid[], integer, text, text, integer, integer, integer, real, real, uuid[], uuid[], integer, boolean, real,
    text, jsonb, boolean, text
) IS
'The k recordings most similar to several seeds, none of these among them. method: centroid (default), the nearest to their mean; '
'rank, those whose places in the seeds'' own answers are best on average, with their mean distance and similarity. Other '
'arguments as in similar_recordings().';
