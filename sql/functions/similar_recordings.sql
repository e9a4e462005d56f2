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
AS $$
DECLARE
    candidates integer;
    conditions recording_filter;
    seed_id integer;
    query vector;
    seed_genre text;
    seed_decade integer;
    neighbours integer[];
    distances real[];
    reach real;
    pending integer[];
    ids integer[];
    found real[];
BEGIN
    PERFORM require_built(
        k, ranking, length_from, length_to, exclude, exclude_artists, max_per_artist,
        distinct_titles, min_similarity, metric, weights, approximate);
    candidates := CASE ranking WHEN 'similarity' THEN greatest(4 * k, 40) ELSE k END;

    SELECT r.id, r.vector, r.genre, r.decade, s.neighbours, s.distances, s.reach
    INTO seed_id, query, seed_genre, seed_decade, neighbours, distances, reach
    FROM recording AS r LEFT JOIN similarity AS s ON r.id = s.id
    WHERE r.mbid = seed;
    IF seed_id IS NULL THEN
        RAISE EXCEPTION 'unknown recording %', coalesce(seed::text, 'NULL')
            USING ERRCODE = 'no_data_found', HINT = 'pgsim.recording has no row with this mbid';
    ELSIF query IS NULL THEN
        RAISE EXCEPTION 'recording % has no vector', seed
            USING ERRCODE = 'no_data_found',
                HINT = 'its submissions hold none of the fitted feature sets; see pgsim status';
    END IF;

    IF same_genre THEN
        IF seed_genre IS NULL THEN
            RAISE EXCEPTION 'same_genre: recording % has no genre', seed USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;
    IF same_decade THEN
        IF seed_decade IS NULL THEN
            RAISE EXCEPTION 'same_decade: recording % has no year', seed USING ERRCODE = 'invalid_parameter_value';
        ELSIF decade <> seed_decade THEN
            RAISE EXCEPTION 'same_decade: recording % is of %, and decade => % asks for another',
                seed, seed_decade, decade
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        decade := seed_decade;
    END IF;
    IF same_genre OR num_nonnulls(genre, decade, year_from, year_to) > 0 THEN
        conditions := resolve_filter(genre, decade, year_from, year_to);
    END IF;
    IF same_genre THEN
        IF conditions.genre <> seed_genre THEN
            RAISE EXCEPTION 'same_genre: recording % is %, and genre => ''%'' asks for another', seed, seed_genre, genre
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        conditions.genre := seed_genre;
    END IF;

    -- The list as it stands, where nothing has changed since it was made and nothing is asked of its members.
    pending := pending_recordings();
    IF pending = '{}' AND conditions IS NULL AND cardinality(neighbours) >= candidates THEN
        RETURN QUERY SELECT a.* FROM answer(
            neighbours[:candidates], distances[:candidates], reach, k, ranking, '{}') AS a;
        RETURN;
    END IF;

    -- The list brought up to date, where enough of it match.
    IF seed_id = ANY(pending) OR (pending IS NULL AND EXISTS (SELECT FROM stale AS t WHERE t.id = seed_id)) THEN
        neighbours := NULL;
        reach := NULL;
    END IF;
    IF neighbours IS NOT NULL AND pending IS NOT NULL THEN
        SELECT array_agg(l.id), array_agg(l.distance) INTO ids, found
        FROM listed_neighbours(seed_id, query, neighbours, distances, pending, conditions) AS l;
    END IF;

    -- Else the collection itself.
    IF coalesce(cardinality(ids), 0) < candidates THEN
        SELECT array_agg(n.id), array_agg(n.distance) INTO ids, found
        FROM nearest_matching(
            query, candidates, conditions, seed_id,
            cardinality(ids) / cardinality(neighbours)::double precision) AS n;
    END IF;
    RETURN QUERY SELECT a.* FROM answer(
        ids[:candidates], found[:candidates], coalesce(reach, live_reach(query, seed_id)), k, ranking, pending) AS a;
END
$$;

COMMENT ON FUNCTION pgsim.similar_recordings(
    uuid, integer, text, integer, integer, integer, boolean, boolean, real, real, uuid[], uuid[], integer, boolean, real,
    text, jsonb, boolean, text
) IS
'The k recordings most similar to a seed. genre: a label of the default scheme, or scheme:label; decade: 1990; '
'year_from, year_to: inclusive; same_genre, same_decade: as the seed. ranking: similarity (default) orders the '
'nearest max(4k, 40) by similarity, distance gives the k nearest. Exactly k rows whenever k match.';
