-- In plpgsql, because its temporary table exists only when it runs.
CREATE OR REPLACE FUNCTION pgsim.store_recordings(OUT inserted integer, OUT changed integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    UPDATE recording AS r
    SET
        title = i.title, artist = i.artist, artist_mbids = i.artist_mbids, album = i.album, year = i.year,
        length = i.length, genre = i.genre, genre_probability = i.genre_probability, genres = i.genres,
        source_id = i.source_id, url = i.url, extra = i.extra, submissions = i.submissions,
        missing = i.missing, vector = i.vector
    FROM pg_temp.incoming_recording AS i
    WHERE
        r.mbid = i.mbid
        AND (
            (
                r.title, r.artist, r.artist_mbids, r.album, r.year, r.length, r.genre, r.genre_probability, r.genres,
                r.source_id, r.url, r.extra, r.submissions, r.missing
            ) IS DISTINCT FROM (
                i.title, i.artist, i.artist_mbids, i.album, i.year, i.length, i.genre, i.genre_probability, i.genres,
                i.source_id, i.url, i.extra, i.submissions, i.missing
            )
            OR differ(r.vector, i.vector)
        );
    GET DIAGNOSTICS changed = ROW_COUNT;

    -- Only new MBIDs take an id from the sequence: ON CONFLICT would take one for each row.
    INSERT INTO recording (
        mbid, title, artist, artist_mbids, album, year, length, genre, genre_probability, genres,
        source_id, url, extra, submissions, missing, vector)
    SELECT
        i.mbid, i.title, i.artist, i.artist_mbids, i.album, i.year, i.length, i.genre, i.genre_probability, i.genres,
        i.source_id, i.url, i.extra, i.submissions, i.missing, i.vector
    FROM pg_temp.incoming_recording AS i
    WHERE NOT EXISTS (SELECT FROM recording AS r WHERE r.mbid = i.mbid)
    ORDER BY i.mbid;
    GET DIAGNOSTICS inserted = ROW_COUNT;
END
$$;

COMMENT ON FUNCTION pgsim.store_recordings() IS
'Internal: stores the rows of the temporary table incoming_recording: updates the recordings that differ and inserts the new ones; '
'returns how many of each.';
