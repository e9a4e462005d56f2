CREATE OR REPLACE FUNCTION pgsim.nearest_answers(
    query vector, k integer, ranking text, f pgsim.recording_filter, m pgsim.measure, except_id integer,
    max_per_artist integer, distinct_titles boolean, min_similarity real, titles text[], seed_reach real, pending integer[],
    listed integer[] DEFAULT NULL, listed_distances real[] DEFAULT NULL, listed_share double precision DEFAULT NULL
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path FROM CURRENT
AS $$
DECLARE
    pool CONSTANT integer := CASE
        WHEN ranking = 'distance' OR m.factors IS NOT NULL THEN k
        ELSE candidates(k, f IS NULL AND max_per_artist IS NULL AND distinct_titles IS NOT TRUE AND nullif(min_similarity, 0) IS NULL)
    END;
    found_ids integer[];
    found real[];
BEGIN
    IF m.factors IS NULL THEN
        seed_reach := coalesce(seed_reach, live_reach(query, except_id));
    ELSE
        ranking := 'distance';  -- a metric's similarity is the order of its distances
    END IF;
    SELECT q.ids, q.distances INTO found_ids, found
    FROM qualifying(
        query, pool, f, m, except_id,
        max_per_artist, distinct_titles, min_similarity, titles, seed_reach, pending, listed, listed_distances, listed_share
    ) AS q;
    IF m.factors IS NOT NULL THEN
        RETURN QUERY SELECT a.* FROM measured_answer(found_ids, found, k, m) AS a;
    ELSIF ranking = 'distance' THEN
        RETURN QUERY SELECT a.* FROM distance_answer(found_ids, found, seed_reach, pending) AS a;
    ELSE
        RETURN QUERY SELECT a.* FROM answer(found_ids, found, seed_reach, k, pending) AS a;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_answers(
    vector, integer, text, pgsim.recording_filter, pgsim.measure, integer,
    integer, boolean, real, text[], real, integer[], integer[], real[], double precision
) IS
'The answer to a question whose words are resolved: the nearest that qualify, ranked and with their metadata.';
