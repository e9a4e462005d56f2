CREATE OR REPLACE FUNCTION pgsim.fill_reaches(lists regclass) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    PERFORM refresh_lock();
    -- Lock it before the lists, as TRUNCATE does.
    LOCK TABLE stale IN ACCESS SHARE MODE;
    DELETE FROM reach;
    EXECUTE format('
        INSERT INTO reach (block, reaches)
        SELECT l.block, ARRAY(
            SELECT r.reach
            FROM generate_series(0, 255) AS p (place)
            LEFT JOIN unnest(l.places, l.reaches) AS r (place, reach) ON p.place = r.place
            ORDER BY p.place
        )
        FROM (
            SELECT s.id >> 8 AS block, array_agg(s.id & 255) AS places, array_agg(s.reach) AS reaches
            FROM %s AS s
            GROUP BY s.id >> 8
        ) AS l', lists);
END
$$;

COMMENT ON FUNCTION pgsim.fill_reaches(regclass) IS
'Fills the table pgsim.reach from lists: SELECT pgsim.fill_reaches(''pgsim.similarity''). Needed after somebody changed
lists by hand.

- lists: the table or view with the lists.

Raises an error in a transaction that is not READ COMMITTED, and if another session changes the matrix for longer than
ten seconds.';
