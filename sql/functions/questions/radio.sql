CREATE OR REPLACE FUNCTION pgsim.radio(
    seeds uuid[],
    k integer DEFAULT 10,
    dislikes uuid[] DEFAULT NULL,
    played uuid[] DEFAULT NULL,
    artist_gap integer DEFAULT 0,
    album_gap integer DEFAULT 0,
    drift double precision DEFAULT 0,
    popularity double precision DEFAULT 0,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    length_from double precision DEFAULT NULL,
    length_to double precision DEFAULT NULL,
    exclude uuid[] DEFAULT NULL,
    exclude_artists uuid[] DEFAULT NULL,
    distinct_titles boolean DEFAULT false,
    metric text DEFAULT NULL,
    weights jsonb DEFAULT NULL,
    approximate boolean DEFAULT false
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    conditions recording_filter;
BEGIN
    PERFORM check_question(k);
    -- Without gaps, drift and popularity, the order to listen to is that of similarity.
    IF coalesce(artist_gap, 0) = 0 AND coalesce(album_gap, 0) = 0 AND coalesce(drift, 0) = 0 AND coalesce(popularity, 0) = 0 THEN
        RETURN QUERY SELECT a.* FROM similar_to_all(
            seeds, k, 'centroid', genre, decade, year_from, year_to, length_from, length_to, exclude || played, exclude_artists,
            distinct_titles => distinct_titles, metric => metric, weights => weights, approximate => approximate,
            minus => dislikes) AS a;
        RETURN;
    END IF;
    conditions := resolve_filter(genre, decade, year_from, year_to, length_from, length_to, exclude || played, exclude_artists);
    RETURN QUERY SELECT a.* FROM walk(
        seeds, k, dislikes, NULL, artist_gap, album_gap, drift, popularity, distinct_titles, NULL, conditions,
        resolve_measure(metric, weights, approximate)) AS a;
END
$$;

COMMENT ON FUNCTION pgsim.radio(
    uuid[], integer, uuid[], uuid[], integer, integer, double precision, double precision, text, integer, integer, integer,
    double precision, double precision, uuid[], uuid[], boolean, text, jsonb, boolean
) IS
'Up to k recordings in an order to listen to: near to the seeds and far from what is disliked, with no recording twice.
Without gaps, drift and popularity it is similar_to_all(). With them, each row is the recording most similar to the point
where the listener is, of those that the gaps allow; fewer than k rows come where none is left.

- seeds: from 1 to 1000 MBIDs.
- k: number of rows, from 1 to 1000; default 10.
- dislikes: MBIDs of recordings to move away from, as minus of similar_to_all().
- played: MBIDs of recordings heard before; they are no answers. Calls that pass all earlier answers never repeat one.
- artist_gap, album_gap: how many rows lie between two recordings of one artist, or of one album, from 0 to
  1000; default 0.
- drift: where the listener is after a row: 0 (default) at the mean of the seeds, 1 at the recording of that row, and
  between them in proportion. distance and similarity are those from there.
- popularity: from 1, which prefers popular recordings, to -1, which prefers unknown ones; default 0. Of the 40 recordings
  most similar to where the listener is, each row is the one with the greatest
  (1 - |popularity|) * similarity + popularity * p, where p is the share of the collection''s recordings of known
  popularity that are less popular; 0 for one of unknown popularity. A sample of 2,000 recordings stands for a large
  collection.
- All other arguments: as in similar_recordings().

Raises an error for an empty array of seeds, for a number that is out of range, and otherwise as similar_recordings()
does.';
