CREATE OR REPLACE FUNCTION pgsim.nearest_recordings(
    query vector,
    k integer DEFAULT 10,
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
    s question_seed;
    away uuid[];
    away_from question_seed;
BEGIN
    PERFORM check_question(k, ranking);
    PERFORM require_vector(query);
    IF minus IS NOT NULL THEN
        SELECT array_agg(d.mbid), mean_of(array_agg(d.vector)) INTO away, away_from.vector FROM seed_vectors(minus) AS d;
    END IF;
    conditions := resolve_filter(
        genre, decade, year_from, year_to, length_from, length_to, exclude || away, exclude_artists);
    m := resolve_measure(metric, weights, approximate);
    IF minus IS NOT NULL THEN
        PERFORM require_sets(d.mbid, d.missing, m) FROM seed_vectors(minus) AS d;
    END IF;
    conditions.present := m.sets;
    s.vector := moved_away(query, away_from.vector);
    RETURN QUERY
    SELECT a.* FROM nearest_answers(
        s, k, ranking, conditions, m, resolve_rules(max_per_artist, max_per_album, distinct_titles, min_similarity),
        pending_recordings()) AS a;
END
$$;

COMMENT ON FUNCTION pgsim.nearest_recordings(
    vector, integer, text, integer, integer, integer, double precision, double precision, uuid[], uuid[], integer, integer,
    boolean, double precision, text, jsonb, boolean, text, uuid[]
) IS
'The k recordings most similar to a vector, the most similar first: similar_recordings() for what is not in the
database.

- query: a vector of the database''s feature space, with as many dimensions as recording.vector.
- minus: MBIDs of recordings to get away from: the vector moves by half of its difference from their mean, away
  from it, and they are no answers. distance and similarity are those from where it then is.
- All other arguments: as in similar_recordings(), without same_genre and same_decade.

Raises an error for a vector that is NULL or has another number of dimensions, and otherwise as similar_recordings()
does.';
