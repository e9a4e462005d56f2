CREATE OR REPLACE FUNCTION pgsim.fill_reaches(lists regclass) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM refresh_lock();
    DELETE FROM reach;
    EXECUTE format('
        INSERT INTO reach (block, reaches)
        SELECT b.block, array_agg(s.reach ORDER BY p.place)
        FROM (SELECT DISTINCT l.id >> 8 AS block FROM %1$s AS l) AS b
        CROSS JOIN generate_series(0, 255) AS p (place)
        LEFT JOIN %1$s AS s ON (b.block << 8) + p.place = s.id
        GROUP BY b.block', lists);
END
$$;

COMMENT ON FUNCTION pgsim.fill_reaches(regclass) IS
'Makes pgsim.reach anew from the lists that are in a table, or that pgsim.similarity shows: fill_reaches(''pgsim.similarity'').';
