-- In plpgsql, whose plans last as long as the connection: were it a part of the caller's query, each that is not
-- prepared would take a millisecond to plan. plan_cache_mode: for a short list of candidates PostgreSQL would plan
-- each question anew, which takes longer than the answer.
CREATE OR REPLACE FUNCTION pgsim.similar_recordings(
    seed uuid,
    k integer DEFAULT 10,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    same_genre boolean DEFAULT false,
    same_decade boolean DEFAULT false,
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
    seed_id integer;
    query vector;
    seed_genre text;
    seed_decade integer;
    seed_title text;
    lacks text[];
    neighbours integer[];
    distances real[];
    seed_reach real;
    pending integer[];
    listed integer[];
    listed_distances real[];
    is_plain CONSTANT boolean := k BETWEEN 1 AND 1000
    AND num_nonnulls(genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists, max_per_artist,
        min_similarity, metric, weights) = 0
    AND NOT (same_genre OR same_decade OR distinct_titles);
BEGIN
    -- The list as it stands, where nothing is asked of its members.
    IF is_plain AND ranking = 'similarity' THEN
        RETURN QUERY
        SELECT a.* FROM
            stored_list(seed, candidates(k, true)) AS l,
            answer(l.neighbours, l.distances, l.reach, k, '{}') AS a;
    ELSIF is_plain AND ranking = 'distance' THEN
        RETURN QUERY
        SELECT a.* FROM stored_list(seed, k) AS l, distance_answer(l.neighbours, l.distances, l.reach, '{}') AS a;
    END IF;
    IF FOUND THEN
        RETURN;
    END IF;

    PERFORM check_question(k, ranking, max_per_artist, min_similarity);
    seed_id := recording_of(seed);
    SELECT r.vector, r.genre, r.decade, r.title, r.missing, s.neighbours, s.distances, s.reach
    INTO query, seed_genre, seed_decade, seed_title, lacks, neighbours, distances, seed_reach
    FROM recording AS r LEFT JOIN similarity AS s ON r.id = s.id
    WHERE r.id = seed_id;
    IF query IS NULL THEN
        RAISE EXCEPTION 'recording % has no vector', seed
            USING ERRCODE = 'no_data_found',
                HINT = 'its submissions hold none of the fitted feature sets; see pgsim status';
    END IF;

    IF same_genre THEN
        IF seed_genre IS NULL THEN
            RAISE EXCEPTION 'same_genre: recording % has no genre', seed USING ERRCODE = 'no_data_found';
        END IF;
    END IF;
    IF same_decade THEN
        IF seed_decade IS NULL THEN
            RAISE EXCEPTION 'same_decade: recording % has no year', seed USING ERRCODE = 'no_data_found';
        ELSIF decade <> seed_decade THEN
            RAISE EXCEPTION 'same_decade: recording % is of %, and decade => % asks for another',
                seed, seed_decade, decade
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        decade := seed_decade;
    END IF;
    conditions := resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists);
    IF same_genre THEN
        IF conditions.genre <> seed_genre THEN
            RAISE EXCEPTION 'same_genre: recording % is %, and genre => ''%'' asks for another', seed, seed_genre, genre
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        conditions.genre := seed_genre;
    END IF;
    m := resolve_measure(metric, weights, approximate);
    PERFORM require_sets(seed, lacks, m);
    conditions.present := m.sets;

    -- The list brought up to date.
    pending := pending_recordings();
    IF seed_id = ANY(pending) OR (pending IS NULL AND EXISTS (SELECT FROM stale AS t WHERE t.id = seed_id)) THEN
        neighbours := NULL;
        seed_reach := NULL;
    END IF;
    IF m.factors IS NULL AND neighbours IS NOT NULL AND pending IS NOT NULL THEN
        SELECT coalesce(array_agg(l.id), '{}'), coalesce(array_agg(l.distance), '{}') INTO listed, listed_distances
        FROM listed_neighbours(seed_id, query, neighbours, distances, pending, conditions) AS l;
    END IF;
    RETURN QUERY
    SELECT a.* FROM nearest_answers(
        query, k, ranking, conditions, m, seed_id, max_per_artist, distinct_titles, min_similarity,
        CASE WHEN distinct_titles THEN ARRAY[title_key(seed_title)] END, seed_reach, pending, listed, listed_distances,
        cardinality(listed) / nullif(cardinality(neighbours), 0)::double precision) AS a;
END
$$;

COMMENT ON FUNCTION pgsim.similar_recordings(
    uuid, integer, text, integer, integer, integer, boolean, boolean, real, real, uuid[], uuid[], integer, boolean, real,
    text, jsonb, boolean, text
) IS
'The k recordings most similar to a seed. genre: a label of the default scheme, or scheme:label; decade: 1990; '
'year_from, year_to: inclusive; same_genre, same_decade: as the seed; length_from, length_to: seconds; exclude, exclude_artists: '
'MBIDs. max_per_artist, distinct_titles (the seed''s own included) and min_similarity leave out what is farther. metric: mfccs, or '
'bpm+key; weights: {"moods": 2}, in place of the profile''s; approximate: a metric without an index may be answered by a rerank. '
'ranking: similarity (default) orders the nearest max(4k, 80) by similarity, or max(4k, 40) of those that qualify where something '
'is asked of them; distance gives the k nearest. Exactly k rows whenever k qualify.';
