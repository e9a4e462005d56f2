CREATE OR REPLACE FUNCTION pgsim.similar_to_all(
    seeds uuid[],
    k integer DEFAULT 10,
    method text DEFAULT 'centroid',
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    length_from double precision DEFAULT NULL,
    length_to double precision DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    max_per_artist integer DEFAULT NULL,
    max_per_album integer DEFAULT NULL,
    distinct_titles boolean DEFAULT false,
    min_similarity double precision DEFAULT NULL,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL,
    approximate boolean DEFAULT false,
    ranking text DEFAULT 'similarity',
    minus uuid[] DEFAULT NULL
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    conditions recording_filter;
    m measure;
    rules question_rules;
    used uuid[];
    songs text[];
    seeds_found question_seed[];
    center record;
BEGIN
    PERFORM check_question(k, ranking);
    IF method IS NULL OR method NOT IN ('centroid', 'rank') THEN
        RAISE EXCEPTION 'unknown method ''%''', coalesce(method, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'known: centroid, rank';
    ELSIF method = 'rank' AND minus IS NOT NULL THEN
        RAISE EXCEPTION 'minus cannot go with the method rank'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave out method: the centroid of the seeds moves away from others';
    END IF;
    m := resolve_measure(metric, weights, approximate);
    SELECT
        array_agg(s.mbid),
        array_agg(CASE WHEN distinct_titles THEN song_key(s.title, s.artist_mbids, s.artist) END),
        array_agg(plain_seed(s.vector, s.id))
    INTO used, songs, seeds_found
    FROM seed_vectors(seeds) AS s;
    IF method = 'centroid' THEN
        SELECT c.mean, c.used INTO center FROM mean_seed(seeds, minus, m) AS c;
        used := center.used;
    ELSE
        PERFORM require_sets(s.mbid, s.missing, m) FROM seed_vectors(seeds) AS s;
    END IF;
    conditions := resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude || used, exclude_artists);
    conditions.present := m.sets;
    rules := resolve_rules(max_per_artist, max_per_album, distinct_titles, min_similarity, songs);
    IF method = 'centroid' THEN
        RETURN QUERY SELECT a.* FROM nearest_answers(center.mean, k, ranking, conditions, m, rules, pending_recordings()) AS a;
    ELSE
        RETURN QUERY SELECT a.* FROM nearest_by_rank(seeds_found, k, ranking, conditions, m, rules, pending_recordings()) AS a;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.similar_to_all(
    uuid[], integer, text, text, integer, integer, integer, double precision, double precision, uuid[], uuid[], integer, integer,
    boolean, double precision, text, jsonb, boolean, text, uuid[]
) IS
'The k recordings most similar to several seeds at once, without the seeds themselves.

- seeds: from 1 to 1000 MBIDs.
- k: number of rows, from 1 to 1000; default 10.
- method: centroid (default) compares with the mean of the seeds'' vectors. rank orders recordings by their mean rank in
  the answers of the single seeds; distance and similarity are then means over the seeds.
- minus: MBIDs of recordings to move away from: the mean of the seeds moves by half of its difference from their mean.
  These recordings are no answers. Not with the method rank.
- All other arguments: as in similar_recordings(), without same_genre and same_decade.

Raises an error for an unknown method, for an empty array of seeds, and otherwise as similar_recordings() does.';
