CREATE OR REPLACE FUNCTION pgsim.walk(
    seeds uuid[], k integer, dislikes uuid[], heard uuid[], artist_gap integer, album_gap integer, drift double precision,
    popularity double precision, distinct_titles boolean, min_similarity double precision,
    conditions pgsim.recording_filter, m pgsim.measure
) RETURNS SETOF pgsim.similar_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    rules question_rules;
    center record;
    target question_seed;
    around recording_filter;
    pending CONSTANT integer[] := pending_recordings();
    songs text[];
    artists text[];
    albums text[];
    answer similar_recording;
    known double precision[];
    liking CONSTANT double precision := coalesce(popularity, 0);
    chosen record;
BEGIN
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
    SELECT array_agg(CASE WHEN distinct_titles THEN song_key(r.title, r.artist_mbids, r.artist) END) INTO songs
    FROM recording AS r
    WHERE r.id IN (SELECT recording_of(s.seed) FROM unnest(seeds) AS s (seed))
        OR r.id IN (SELECT known_recording(h.mbid) FROM unnest(heard) AS h (mbid));
    SELECT
        coalesce(array_agg(coalesce(artist_key(r.artist_mbids, r.artist), '') ORDER BY h.place), '{}'),
        coalesce(array_agg(coalesce(album_key(r.album, r.artist_mbids, r.artist), '') ORDER BY h.place), '{}')
    INTO artists, albums
    FROM unnest(heard) WITH ORDINALITY AS h (mbid, place) LEFT JOIN recording AS r ON r.id = known_recording(h.mbid);
    SELECT c.mean, c.used INTO center FROM mean_seed(seeds, dislikes, m) AS c;
    around.exclude := center.used;
    conditions.exclude := conditions.exclude || center.used;
    conditions.present := m.sets;
    target := center.mean;
    IF liking <> 0 THEN
        known := known_popularities();
    END IF;
    FOR place IN 1 .. k LOOP
        conditions.used_artists := nullif(artists[cardinality(artists) - artist_gap + 1 :], '{}');
        conditions.used_albums := nullif(albums[cardinality(albums) - album_gap + 1 :], '{}');
        rules := resolve_rules(NULL, NULL, distinct_titles, min_similarity, songs);
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

COMMENT ON FUNCTION pgsim.walk(
    uuid[], integer, uuid[], uuid[], integer, integer, double precision, double precision, boolean, double precision,
    pgsim.recording_filter, pgsim.measure
) IS
'Internal: what radio() and expand_playlist() answer, row by row. heard: the MBIDs that came before the first row, in their order, which '
'gaps and distinct_titles count, too.';
