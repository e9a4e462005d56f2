-- In plpgsql, because its temporary table exists only when it runs.
CREATE OR REPLACE FUNCTION pgsim.store_recordings(OUT inserted integer, OUT changed integer)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    changed := 0;
    -- A first load has new recordings alone. LATERAL with OFFSET 0 looks them up by an index, whatever the statistics say: they
    -- are older than the rows.
    IF EXISTS (
        SELECT FROM pg_temp.incoming_recording AS a
        CROSS JOIN LATERAL (SELECT FROM recording AS o WHERE o.mbid = a.mbid OFFSET 0) AS r
    ) THEN
        -- What pgsim names has filled stays where no submission has it. The index is used as above.
        UPDATE pg_temp.incoming_recording AS i
        SET
            title = coalesce(i.title, CASE WHEN 'title' = ANY(k.named) THEN k.title END),
            artist = coalesce(i.artist, CASE WHEN 'artist' = ANY(k.named) THEN k.artist END),
            artist_mbids = coalesce(i.artist_mbids, CASE WHEN 'artist_mbids' = ANY(k.named) THEN k.artist_mbids END),
            album = coalesce(i.album, CASE WHEN 'album' = ANY(k.named) THEN k.album END),
            year = coalesce(i.year, CASE WHEN 'year' = ANY(k.named) THEN k.year END),
            length = coalesce(i.length, CASE WHEN 'length' = ANY(k.named) THEN k.length END),
            named = (
                SELECT array_agg(n.name ORDER BY n.place)
                FROM unnest(k.named) WITH ORDINALITY AS n (name, place)
                WHERE
                    CASE n.name
                        WHEN 'title' THEN i.title IS NULL
                        WHEN 'artist' THEN i.artist IS NULL
                        WHEN 'artist_mbids' THEN i.artist_mbids IS NULL
                        WHEN 'album' THEN i.album IS NULL
                        WHEN 'year' THEN i.year IS NULL
                        WHEN 'length' THEN i.length IS NULL
                    END
            )
        FROM (
            SELECT a.mbid, r.title, r.artist, r.artist_mbids, r.album, r.year, r.length, r.named
            FROM pg_temp.incoming_recording AS a
            CROSS JOIN LATERAL (
                SELECT o.title, o.artist, o.artist_mbids, o.album, o.year, o.length, o.named
                FROM recording AS o
                WHERE o.mbid = a.mbid
                OFFSET 0
            ) AS r
            WHERE r.named IS NOT NULL
        ) AS k
        WHERE i.mbid = k.mbid;

        UPDATE recording AS r
        SET
            title = i.title, artist = i.artist, artist_mbids = i.artist_mbids, album = i.album, year = i.year,
            length = i.length, genre = i.genre, genre_probability = i.genre_probability, genres = i.genres,
            source_id = i.source_id, url = i.url, extra = i.extra, submissions = i.submissions,
            missing = i.missing, vector = i.vector, named = i.named, popularity = coalesce(i.popularity, r.popularity)
        FROM pg_temp.incoming_recording AS i
        WHERE
            r.mbid = i.mbid
            AND (
                (
                    r.title, r.artist, r.artist_mbids, r.album, r.year, r.length, r.genre, r.genre_probability, r.genres,
                    r.source_id, r.url, r.extra, r.submissions, r.missing, r.named, r.popularity
                ) IS DISTINCT FROM (
                    i.title, i.artist, i.artist_mbids, i.album, i.year, i.length, i.genre, i.genre_probability, i.genres,
                    i.source_id, i.url, i.extra, i.submissions, i.missing, i.named, coalesce(i.popularity, r.popularity)
                )
                OR differ(r.vector, i.vector)
            );
        GET DIAGNOSTICS changed = ROW_COUNT;

        DELETE FROM pg_temp.incoming_recording AS i USING recording AS r WHERE i.mbid = r.mbid;
    END IF;

    -- Only new MBIDs take an id from the sequence: ON CONFLICT would take one for each row.
    INSERT INTO recording (
        mbid, title, artist, artist_mbids, album, year, length, genre, genre_probability, genres,
        source_id, url, extra, submissions, missing, vector, popularity)
    SELECT
        i.mbid, i.title, i.artist, i.artist_mbids, i.album, i.year, i.length, i.genre, i.genre_probability, i.genres,
        i.source_id, i.url, i.extra, i.submissions, i.missing, i.vector, i.popularity
    FROM pg_temp.incoming_recording AS i
    ORDER BY i.mbid;
    GET DIAGNOSTICS inserted = ROW_COUNT;
END
$$;

COMMENT ON FUNCTION pgsim.store_recordings() IS
'Internal: stores the rows of the temporary table incoming_recording: updates the recordings that differ and inserts the new ones. '
'What pgsim names has filled, and a popularity, stay where a row lacks them. Returns how many of each.';
