-- plan_cache_mode: for a short list of candidates PostgreSQL would plan each question anew, which takes longer
-- than the answer.
CREATE OR REPLACE FUNCTION pgsim.searched_recordings(
    seed uuid,
    k integer,
    genre text,
    decade integer,
    year_from integer,
    year_to integer,
    same_genre boolean,
    same_decade boolean,
    length_from real,
    length_to real,
    exclude uuid[],
    exclude_artists uuid[],
    max_per_artist integer,
    distinct_titles boolean,
    min_similarity real,
    metric text,
    weights jsonb,
    approximate boolean,
    ranking text
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
BEGIN
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

COMMENT ON FUNCTION pgsim.searched_recordings(
    uuid, integer, text, integer, integer, integer, boolean, boolean, real, real, uuid[], uuid[], integer, boolean, real,
    text, jsonb, boolean, text
) IS
'What similar_recordings() answers where the stored list alone cannot: with conditions, or while changes wait to be refreshed.';
