CREATE OR REPLACE FUNCTION pgsim.resolve_question(
    seed uuid,
    genre text,
    decade integer,
    year_from integer,
    year_to integer,
    same_genre boolean,
    same_decade boolean,
    length_from double precision,
    length_to double precision,
    exclude uuid[],
    exclude_artists uuid[],
    max_per_artist integer,
    max_per_album integer,
    distinct_titles boolean,
    min_similarity double precision,
    metric text,
    weights jsonb,
    approximate boolean,
    OUT s pgsim.question_seed,
    OUT conditions pgsim.recording_filter,
    OUT m pgsim.measure,
    OUT rules pgsim.question_rules,
    OUT pending integer[]
)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    own record;
BEGIN
    s.id := recording_of(seed);
    SELECT r.vector, r.genre, r.decade, r.title, r.artist, r.artist_mbids, r.missing, l.neighbours, l.distances, l.reach INTO own
    FROM recording AS r LEFT JOIN similarity AS l ON r.id = l.id
    WHERE r.id = s.id;
    IF own.vector IS NULL THEN
        RAISE EXCEPTION 'recording % has no vector', seed
            USING ERRCODE = 'no_data_found',
                HINT = 'its submissions hold none of the fitted feature sets; see pgsim status';
    END IF;

    IF same_genre AND own.genre IS NULL THEN
        RAISE EXCEPTION 'same_genre: recording % has no genre', seed
            USING ERRCODE = 'no_data_found', HINT = 'leave out same_genre';
    END IF;
    IF same_decade THEN
        IF own.decade IS NULL THEN
            RAISE EXCEPTION 'same_decade: recording % has no year', seed
                USING ERRCODE = 'no_data_found', HINT = 'leave out same_decade';
        ELSIF decade <> own.decade THEN
            RAISE EXCEPTION 'same_decade: the decade of recording % is %, but decade => % asks for another',
                seed, own.decade, decade
                USING ERRCODE = 'invalid_parameter_value', HINT = 'leave out same_decade or decade';
        END IF;
        decade := own.decade;
    END IF;
    conditions := resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude, exclude_artists);
    IF same_genre THEN
        IF conditions.genre <> own.genre THEN
            RAISE EXCEPTION 'same_genre: the genre of recording % is ''%'', but genre => ''%'' asks for another',
                seed, own.genre, genre
                USING ERRCODE = 'invalid_parameter_value', HINT = 'leave out same_genre or genre';
        END IF;
        conditions.genre := own.genre;
    END IF;
    m := resolve_measure(metric, weights, approximate);
    PERFORM require_sets(seed, own.missing, m);
    conditions.present := m.sets;
    rules := resolve_rules(
        max_per_artist, max_per_album, distinct_titles, min_similarity,
        CASE WHEN distinct_titles THEN ARRAY[song_key(own.title, own.artist_mbids, own.artist)] END);

    -- The stored list and reach count only if the vector has not changed since.
    s.vector := own.vector;
    pending := pending_recordings();
    IF s.id <> ALL(pending) OR (pending IS NULL AND NOT EXISTS (SELECT FROM stale AS t WHERE t.id = s.id)) THEN
        s.reach := own.reach;
        IF m.factors IS NULL AND own.neighbours IS NOT NULL AND pending IS NOT NULL THEN
            SELECT coalesce(array_agg(l.id), '{}'), coalesce(array_agg(l.distance), '{}') INTO s.listed, s.listed_distances
            FROM listed_neighbours(s.id, own.vector, own.neighbours, own.distances, pending, conditions) AS l;
            s.list_length := cardinality(own.neighbours);
        END IF;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.resolve_question(
    uuid, text, integer, integer, integer, boolean, boolean, double precision, double precision, uuid[], uuid[], integer, integer,
    boolean, double precision, text, jsonb, boolean
) IS
'Internal: a question about one recording, its words resolved: the seed with the matching recordings of its list, the conditions, the '
'measure and the rules. pending: as of pending_recordings(). An error for what similar_recordings() refuses.';
