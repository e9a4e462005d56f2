CREATE OR REPLACE FUNCTION pgsim.merged_list(
    neighbours integer[], distances real[], entrants integer[], apart real[], leaving integer[], most integer
) RETURNS TABLE (neighbours integer[], distances real[], reach real)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    SELECT
        coalesce(array_agg(m.id ORDER BY m.place ASC), '{}') AS neighbours,
        coalesce(array_agg(m.distance ORDER BY m.place ASC), '{}') AS distances,
        (avg(m.distance) FILTER (WHERE m.place <= 25))::real AS reach
    FROM (
        SELECT
            u.id,
            u.distance,
            row_number() OVER (ORDER BY u.distance ASC, r.mbid ASC) AS place
        FROM (
            SELECT
                l.id,
                l.distance
            FROM unnest(merged_list.neighbours, merged_list.distances) AS l (id, distance)
            WHERE l.id <> all(leaving)
            UNION ALL
            SELECT
                e.id,
                e.distance
            FROM unnest(entrants, apart) AS e (id, distance)
        ) AS u
        INNER JOIN pgsim.recording AS r ON u.id = r.id AND r.vector IS NOT NULL
    ) AS m
    WHERE m.place <= most;
END;

COMMENT ON FUNCTION pgsim.merged_list(integer[], real[], integer[], real[], integer[], integer) IS
'A list of neighbours without those that leave it or are gone, and with those that enter.';
