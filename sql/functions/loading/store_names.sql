-- In plpgsql, because its temporary tables exist only when it runs. LATERAL, kept apart by GROUP BY or OFFSET 0, looks
-- each name up by an index, where a plan without statistics would read all recordings for some thousand names.
CREATE OR REPLACE FUNCTION pgsim.store_names(
    OUT titles bigint, OUT artists bigint, OUT albums bigint, OUT years bigint, OUT lengths bigint
)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    WITH given AS (
        SELECT DISTINCT ON (n.id)
            n.id, i.title, i.artist, i.artist_mbids,
            CASE WHEN n.is_same THEN i.album END AS album,
            CASE WHEN n.is_same THEN i.year END AS year,
            CASE WHEN n.is_same THEN i.length END AS length
        FROM pg_temp.incoming_name AS i
        CROSS JOIN LATERAL (
            SELECT w.id, min(w.steps) AS steps, bool_and(w.is_same) AS is_same
            FROM pg_temp.nameless AS w
            WHERE w.mbid = i.mbid
            GROUP BY w.id
        ) AS n
        ORDER BY n.id, n.is_same DESC, n.steps, i.place
    ), found AS (
        INSERT INTO pg_temp.found_name (id) SELECT g.id FROM given AS g
    ), fresh AS (
        SELECT
            g.id,
            CASE WHEN o.title IS NULL THEN g.title END AS title,
            CASE WHEN o.artist IS NULL THEN g.artist END AS artist,
            CASE WHEN o.artist_mbids IS NULL THEN g.artist_mbids END AS artist_mbids,
            CASE WHEN o.album IS NULL THEN g.album END AS album,
            CASE WHEN o.year IS NULL THEN g.year END AS year,
            CASE WHEN o.length IS NULL THEN g.length END AS length
        FROM given AS g
        CROSS JOIN LATERAL (
            SELECT r.title, r.artist, r.artist_mbids, r.album, r.year, r.length FROM recording AS r WHERE r.id = g.id OFFSET 0
        ) AS o
    ), stored AS (
        UPDATE recording AS r
        SET
            title = coalesce(r.title, f.title), artist = coalesce(r.artist, f.artist),
            artist_mbids = coalesce(r.artist_mbids, f.artist_mbids), album = coalesce(r.album, f.album),
            year = coalesce(r.year, f.year), length = coalesce(r.length, f.length),
            named = r.named || array_remove(ARRAY[
                CASE WHEN f.title IS NOT NULL THEN 'title' END, CASE WHEN f.artist IS NOT NULL THEN 'artist' END,
                CASE WHEN f.artist_mbids IS NOT NULL THEN 'artist_mbids' END, CASE WHEN f.album IS NOT NULL THEN 'album' END,
                CASE WHEN f.year IS NOT NULL THEN 'year' END, CASE WHEN f.length IS NOT NULL THEN 'length' END
            ], NULL)
        FROM fresh AS f
        WHERE r.id = f.id AND num_nonnulls(f.title, f.artist, f.artist_mbids, f.album, f.year, f.length) > 0
        RETURNING f.title, f.artist, f.album, f.year, f.length
    )
    SELECT count(s.title), count(s.artist), count(s.album), count(s.year), count(s.length)
    INTO titles, artists, albums, years, lengths
    FROM stored AS s;
END
$$;

COMMENT ON FUNCTION pgsim.store_names() IS
'Internal: gives the names of the temporary table incoming_name to the recordings in nameless that lack them, and notes these columns in '
'recording.named; nothing that is there is changed. Notes in found_name which recordings it knows. Returns how many got each.';
