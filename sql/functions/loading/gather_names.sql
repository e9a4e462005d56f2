-- In plpgsql, because its temporary tables exist only when it runs.
CREATE OR REPLACE FUNCTION pgsim.gather_names() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    gathered bigint;
BEGIN
    -- Where the dump knows a recording's own MBID, or one of fewer steps, those that it redirects to do not count.
    DELETE FROM pg_temp.nameless AS n
    USING (
        SELECT w.id, min(w.steps) AS steps
        FROM pg_temp.nameless AS w INNER JOIN pg_temp.dump_recording AS r ON w.mbid = r.gid
        GROUP BY w.id
    ) AS known
    WHERE n.id = known.id AND n.steps > known.steps;

    INSERT INTO pg_temp.gathered_name (place, mbid, title, artist, artist_mbids, album, year, length)
    WITH event AS (
        SELECT DISTINCT ON (e.release) e.release, e.year, e.month, e.day
        FROM pg_temp.dump_event AS e
        ORDER BY e.release, e.year, e.month, e.day
    ), first_release AS (
        SELECT
            t.recording,
            min(e.year) AS year,
            -- an official release before a promotion or a bootleg, then the earliest
            (
                array_agg(l.name ORDER BY l.status IS DISTINCT FROM 1, e.year, e.month, e.day, l.id)
            )[1] AS album
        FROM pg_temp.dump_track AS t
        INNER JOIN pg_temp.dump_medium AS m ON t.medium = m.id
        INNER JOIN pg_temp.dump_release AS l ON m.release = l.id
        LEFT JOIN event AS e ON l.id = e.release
        GROUP BY t.recording
    ), credited AS (
        SELECT n.credit, array_agg(a.gid ORDER BY n.position) AS mbids
        FROM pg_temp.dump_credit_name AS n
        INNER JOIN pg_temp.dump_artist AS a ON n.artist = a.id
        WHERE n.credit IN (SELECT r.credit FROM pg_temp.dump_recording AS r)
        GROUP BY n.credit
    ), first_date AS (
        SELECT d.recording, min(d.year) AS year FROM pg_temp.dump_first_date AS d GROUP BY d.recording
    )
    SELECT
        row_number() OVER (), r.gid, nullif(r.name, ''), nullif(c.name, ''), a.mbids, nullif(f.album, ''),
        coalesce(d.year, f.year), r.length / 1000.0
    FROM pg_temp.dump_recording AS r
    LEFT JOIN pg_temp.dump_credit AS c ON r.credit = c.id
    LEFT JOIN credited AS a ON r.credit = a.credit
    LEFT JOIN first_release AS f ON r.id = f.recording
    LEFT JOIN first_date AS d ON r.id = d.recording;
    GET DIAGNOSTICS gathered = ROW_COUNT;
    RETURN gathered;
END
$$;

COMMENT ON FUNCTION pgsim.gather_names() IS
'Internal: fills the temporary table gathered_name from those of MusicBrainz''s dump: each recording''s title, artist credit, first '
'release, first year, and length in seconds; returns how many recordings they are.';
