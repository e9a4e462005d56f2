-- In plpgsql, because its temporary table exists only when it runs.
CREATE OR REPLACE FUNCTION pgsim.list_nameless() RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    lacking bigint;
BEGIN
    INSERT INTO pg_temp.nameless (mbid, id, steps, is_same)
    SELECT r.mbid, r.id, 0, true
    FROM recording AS r
    WHERE
        r.title IS NULL OR r.artist IS NULL OR r.artist_mbids IS NULL OR r.album IS NULL OR r.year IS NULL
        OR r.length IS NULL;
    GET DIAGNOSTICS lacking = ROW_COUNT;

    INSERT INTO pg_temp.nameless (mbid, id, steps, is_same)
    WITH RECURSIVE chain (mbid, id, steps) AS (
        SELECT d.target, n.id, 1 FROM pg_temp.nameless AS n INNER JOIN redirect AS d ON n.mbid = d.mbid
        UNION ALL
        SELECT d.target, c.id, c.steps + 1 FROM chain AS c INNER JOIN redirect AS d ON c.mbid = d.mbid
    ) CYCLE mbid SET is_cycle USING path
    SELECT c.mbid, c.id, c.steps, true FROM chain AS c WHERE NOT c.is_cycle;
    RETURN lacking;
END
$$;

COMMENT ON FUNCTION pgsim.list_nameless() IS
'Internal: fills the temporary table nameless with the recordings that lack a title, artist, album, year or length, by their MBIDs and '
'those that these redirect to; returns how many recordings they are.';
