CREATE OR REPLACE FUNCTION pgsim.similar_albums(
    album text,
    artist text DEFAULT NULL,
    k integer DEFAULT 10,
    genre text DEFAULT NULL,
    decade integer DEFAULT NULL,
    year_from integer DEFAULT NULL,
    year_to integer DEFAULT NULL,
    min_recordings integer DEFAULT 1,
    other_artists boolean DEFAULT false
) RETURNS SETOF pgsim.similar_album
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    conditions recording_filter;
    own record;
BEGIN
    PERFORM check_question(k);
    PERFORM check_min_recordings(min_recordings);
    conditions := resolve_filter(genre, decade, year_from, year_to);
    SELECT a.keys, a.artists, a.ids INTO own FROM album_recordings(album, artist) AS a;
    RETURN QUERY
    WITH found AS MATERIALIZED (
        SELECT g.* FROM similar_groups(
            own.ids, k, true, own.keys, CASE WHEN other_artists THEN own.artists END, min_recordings, conditions) AS g
    ), named AS (
        SELECT
            m.key,
            mode() WITHIN GROUP (ORDER BY r.album) AS album,
            mode() WITHIN GROUP (ORDER BY r.artist) AS artist,
            mode() WITHIN GROUP (ORDER BY r.year)::integer AS year
        FROM group_members(ARRAY(SELECT f.key FROM found AS f), true, conditions) AS m INNER JOIN recording AS r ON m.id = r.id
        GROUP BY m.key
    )
    SELECT
        f.rank, n.album, n.artist, n.year, f.similarity, f.share, f.recordings, f.own_mbid, f.similar_mbid, f.distance
    FROM found AS f INNER JOIN named AS n ON f.key = n.key
    ORDER BY f.rank;
END
$$;

COMMENT ON FUNCTION pgsim.similar_albums(text, text, integer, text, integer, integer, integer, integer, boolean) IS
'The k albums most similar to one, the most similar first, compared by all their recordings as similar_artists() compares
artists. An album is a title and an artist. Exactly k rows come back whenever k albums qualify.

- album: the title; case and accents do not count.
- artist: the MBID or the name of its artist; needed only where several artists have an album of that title.
- k: number of rows, from 1 to 1000; default 10.
- genre, decade, year_from, year_to: which recordings of other albums count, as in similar_recordings().
- min_recordings: least number of such recordings that an album must have; default 1.
- other_artists: whether to leave out albums of the same artist; default false.

Raises an error for an unknown album, for one without a vector, for a title that several artists have, and otherwise as
similar_recordings() does.';
