CREATE OR REPLACE FUNCTION pgsim.similar_recordings_batch(
    seeds uuid[],
    k integer DEFAULT 10,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    same_genre boolean DEFAULT false,
    same_decade boolean DEFAULT false,
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
    ranking text DEFAULT 'similarity'
) RETURNS SETOF pgsim.batch_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    one uuid;
    answer batch_recording;
BEGIN
    -- Errors of the question itself are raised here; those that remain are problems of single seeds.
    PERFORM check_question(k, ranking);
    PERFORM resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists);
    PERFORM resolve_measure(metric, weights, approximate);
    PERFORM resolve_rules(max_per_artist, max_per_album, distinct_titles, min_similarity);
    FOR one IN SELECT s.seed FROM unnest(seeds) WITH ORDINALITY AS s (seed, place) ORDER BY s.place LOOP
        BEGIN
            RETURN QUERY
            SELECT one, a.*, NULL::text FROM similar_recordings(
                one, k, genre, decade, year_from, year_to, same_genre, same_decade, length_from, length_to, exclude,
                exclude_artists, max_per_artist, max_per_album, distinct_titles, min_similarity, metric, weights, approximate,
                ranking) AS a;
        EXCEPTION WHEN no_data_found OR invalid_parameter_value THEN
            answer.seed := one;
            answer.problem := SQLERRM;
            RETURN NEXT answer;
        END;
    END LOOP;
END
$$;

COMMENT ON FUNCTION pgsim.similar_recordings_batch(
    uuid[], integer, text, integer, integer, integer, boolean, boolean, double precision, double precision, uuid[], uuid[],
    integer, integer, boolean, double precision, text, jsonb, boolean, text
) IS
'The answers of similar_recordings() for many seeds, in the order of the seeds; the column seed says whose answer a row
belongs to.

- seeds: MBIDs, as many as you like.
- All other arguments: as in similar_recordings().

A seed that is unknown, has no vector, or contradicts the question is one row: seed and problem are set, all other
columns are NULL. Raises an error for what is wrong whatever the seed is: an unknown genre, say.';
