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
    m measure;
    rules question_rules;
    center record;
    target question_seed;
    around recording_filter;
    songs text[];
    pending CONSTANT integer[] := pending_recordings();
    artists text[] := '{}';
    albums text[] := '{}';
    answer similar_recording;
    known double precision[];
    liking CONSTANT double precision := coalesce(popularity, 0);
    chosen record;
BEGIN
    PERFORM check_question(k);
    IF artist_gap NOT BETWEEN 0 AND 1000 THEN
        RAISE EXCEPTION 'artist_gap is %, but must be from 0 to 1000', artist_gap
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no gap';
    ELSIF album_gap NOT BETWEEN 0 AND 1000 THEN
        RAISE EXCEPTION 'album_gap is %, but must be from 0 to 1000', album_gap
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no gap';
    ELSIF NOT coalesce(drift, 0) BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'drift is %, but must be from 0 to 1', drift
            USING ERRCODE = 'invalid_parameter_value', HINT = '0 stays at the seeds, 1 goes on from the last recording';
    ELSIF NOT liking BETWEEN -1 AND 1 THEN
        RAISE EXCEPTION 'popularity is %, but must be from -1 to 1', popularity
            USING ERRCODE = 'invalid_parameter_value', HINT = '1 prefers the popular, -1 the unknown, and 0 neither';
    END IF;
    -- Without gaps, drift and popularity, the order to listen to is that of similarity.
    IF coalesce(artist_gap, 0) = 0 AND coalesce(album_gap, 0) = 0 AND coalesce(drift, 0) = 0 AND liking = 0 THEN
        RETURN QUERY SELECT a.* FROM similar_to_all(
            seeds, k, 'centroid', genre, decade, year_from, year_to, length_from, length_to, exclude || played, exclude_artists,
            distinct_titles => distinct_titles, metric => metric, weights => weights, approximate => approximate,
            minus => dislikes) AS a;
        RETURN;
    END IF;

    m := resolve_measure(metric, weights, approximate);
    SELECT array_agg(CASE WHEN distinct_titles THEN song_key(s.title, s.artist_mbids, s.artist) END) INTO songs
    FROM seed_vectors(seeds) AS s;
    SELECT c.mean, c.used INTO center FROM mean_seed(seeds, dislikes, m) AS c;
    around.exclude := center.used;
    conditions := resolve_filter(
        genre, decade, year_from, year_to, length_from, length_to, exclude || played || center.used, exclude_artists);
    conditions.present := m.sets;
    target := center.mean;
    IF liking <> 0 THEN
        known := known_popularities();
    END IF;
    FOR place IN 1 .. k LOOP
        conditions.used_artists := nullif(artists[cardinality(artists) - artist_gap + 1 :], '{}');
        conditions.used_albums := nullif(albums[cardinality(albums) - album_gap + 1 :], '{}');
        rules := resolve_rules(NULL, NULL, distinct_titles, NULL, songs);
        SELECT a.* INTO answer
        FROM nearest_answers(target, CASE WHEN liking = 0 THEN 1 ELSE 40 END, 'similarity', conditions, m, rules, pending) AS a
        LEFT JOIN recording AS r ON a.mbid = r.mbid AND liking <> 0
        ORDER BY
            (1 - abs(liking)) * a.similarity + liking * share_below(r.popularity, known) DESC,
            a.rank ASC
        LIMIT 1;
        EXIT WHEN NOT FOUND;
        answer.rank := place;
        RETURN NEXT answer;
        SELECT
            r.vector,
            coalesce(artist_key(r.artist_mbids, r.artist), '') AS artist,
            coalesce(album_key(r.album, r.artist_mbids, r.artist), '') AS album,
            CASE WHEN distinct_titles THEN song_key(r.title, r.artist_mbids, r.artist) END AS song
        INTO chosen
        FROM recording AS r WHERE r.mbid = answer.mbid;
        artists := artists || chosen.artist;
        albums := albums || chosen.album;
        songs := songs || chosen.song;
        conditions.exclude := conditions.exclude || answer.mbid;
        IF drift > 0 THEN
            target.vector := moved((center.mean).vector, chosen.vector, drift);
            IF m.factors IS NULL THEN
                SELECT avg(n.distance) INTO target.reach FROM nearest_matching(target, reach_length(), around) AS n;
            END IF;
        END IF;
    END LOOP;
END
$$;

COMMENT ON FUNCTION pgsim.radio(
    uuid[], integer, uuid[], uuid[], integer, integer, double precision, double precision, text, integer, integer, integer,
    double precision, double precision, uuid[], uuid[], boolean, text, jsonb, boolean
) IS
'Up to k recordings in an order to listen to: near to the seeds and far from what is disliked, with no recording twice.
Without gaps, drift and popularity it is similar_to_all(). With them, each row is the recording most similar to the point where the
listener is, of those that the gaps allow; fewer than k rows come where none is left.

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
