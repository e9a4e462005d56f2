CREATE OR REPLACE FUNCTION pgsim.dissimilar_recordings(
    seed uuid,
    k integer DEFAULT 10,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    length_from double precision DEFAULT NULL,
    length_to double precision DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    conditions recording_filter;
    m measure;
    s record;
    ids integer[];
    distances real[];
BEGIN
    PERFORM check_question(k);
    SELECT v.* INTO s FROM seed_vectors(ARRAY[seed]) AS v;
    conditions := resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists);
    m := resolve_measure(metric, weights);
    PERFORM require_sets(seed, s.missing, m);
    conditions.present := m.sets;
    SELECT array_agg(e.id), array_agg(e.distance) INTO ids, distances
    FROM nearest_exact(s.vector, k, conditions, s.id, m, farthest => true) AS e;
    IF m.factors IS NULL THEN
        RETURN QUERY
        SELECT a.* FROM distance_answer(ids, distances, live_reach(s.vector, s.id), pending_recordings(), farthest => true) AS a;
    ELSE
        RETURN QUERY SELECT a.* FROM measured_answer(ids, distances, k, m, farthest => true) AS a;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.dissimilar_recordings(
    uuid, integer, text, integer, integer, integer, double precision, double precision, uuid[], uuid[], text, jsonb
) IS
'The k recordings farthest from a seed, the farthest first. Scans all recordings that match.

- seed: MBID of a recording in the database, or an MBID that redirects to one.
- k: number of rows, from 1 to 1000; default 10.
- All other arguments: as in similar_recordings().

Raises an error as similar_recordings() does.';
