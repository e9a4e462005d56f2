CREATE OR REPLACE FUNCTION pgsim.expand_playlist(
    mbids uuid[],
    k integer DEFAULT NULL,
    dislikes uuid[] DEFAULT NULL,
    artist_gap integer DEFAULT 2,
    album_gap integer DEFAULT 0,
    drift double precision DEFAULT 0,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    length_from double precision DEFAULT NULL,
    length_to double precision DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    distinct_titles boolean DEFAULT true,
    min_similarity double precision DEFAULT NULL,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL,
    approximate boolean DEFAULT false
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 20
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    most CONSTANT integer := 1000; -- seeds of a question
    seeds uuid[];
    unknown bigint;
BEGIN
    k := coalesce(k, CASE WHEN min_similarity IS NULL THEN 20 ELSE 1000 END);
    PERFORM check_question(k);
    SELECT array_agg(p.mbid ORDER BY p.place) FILTER (WHERE p.mbid IS NOT NULL), count(*) FILTER (WHERE p.mbid IS NULL)
    INTO seeds, unknown
    FROM (
        SELECT r.mbid, min(e.place) AS place
        FROM unnest(mbids) WITH ORDINALITY AS e (mbid, place)
        LEFT JOIN recording AS r ON r.id = known_recording(e.mbid) AND r.vector IS NOT NULL
        GROUP BY r.mbid, CASE WHEN r.mbid IS NULL THEN e.place END
    ) AS p;
    IF seeds IS NULL THEN
        RAISE EXCEPTION 'none of the % tracks is a recording with a vector', coalesce(cardinality(mbids), 0)
            USING ERRCODE = 'no_data_found', HINT = 'match_recordings() finds recordings by path, or by artist and title';
    END IF;
    IF unknown > 0 THEN
        RAISE NOTICE '% of % tracks are no recordings with a vector: left out', unknown, cardinality(mbids);
    END IF;
    IF cardinality(seeds) > most THEN
        RAISE NOTICE 'of % recordings % are the seeds, evenly spread', cardinality(seeds), most;
    END IF;
    RETURN QUERY SELECT a.* FROM walk(
        ARRAY(SELECT seeds[1 + s.number * cardinality(seeds) / least(most, cardinality(seeds))]
            FROM generate_series(0, least(most, cardinality(seeds)) - 1) AS s (number)),
        k, dislikes, seeds, artist_gap, album_gap, drift, NULL, distinct_titles, min_similarity,
        resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude || mbids, exclude_artists),
        resolve_measure(metric, weights, approximate)) AS a;
END
$$;

COMMENT ON FUNCTION pgsim.expand_playlist(
    uuid[], integer, uuid[], integer, integer, double precision, text, integer, integer, integer, double precision, double precision,
    uuid[], uuid[], boolean, double precision, text, jsonb, boolean
) IS
'Recordings to append to a playlist, in an order to listen to: each is the one most similar to the mean of the playlist, of
those that the rules allow. None is in the playlist. Fewer than k rows come where none is left.

- mbids: the MBIDs of the playlist, in its order; match_recordings() finds them. Those of no recording with a vector are
  left out, and a notice counts them. Of more than 1000 recordings, 1000 are the seeds, evenly spread.
- k: number of rows, from 1 to 1000; default 20, or with min_similarity as many as there are, at most 1000.
- dislikes, drift: as in radio().
- min_similarity: least similarity to the mean of the playlist, from 0 to 1.
- artist_gap, album_gap: how many rows lie between two recordings of one artist (default 2), or of one album (default
  0); the last ones of the playlist count, too.
- distinct_titles: whether to leave out other recordings of a song that the playlist or a row before has; default true.
- All other arguments: as in similar_recordings().

Raises an error if none of the MBIDs is a recording with a vector, and otherwise as radio() does.';
