-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.stored_list(seed uuid, n integer)
RETURNS TABLE (neighbours integer[], distances real[], reach real)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT
        s.neighbours[:n] AS neighbours,
        s.distances[:n] AS distances,
        s.reach
    FROM pgsim.recording AS r
    INNER JOIN pgsim.similarity AS s ON r.id = s.id
    WHERE
        r.mbid = seed AND r.vector IS NOT NULL AND cardinality(s.neighbours) >= n
        AND NOT EXISTS (SELECT FROM pgsim.stale);
END;

COMMENT ON FUNCTION pgsim.stored_list(uuid, integer) IS
'Internal: the first n members of a recording''s stored list, and its reach; no row where the list is shorter or anything has changed '
'since the last refresh.';
