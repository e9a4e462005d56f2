CREATE OR REPLACE FUNCTION pgsim.merged_list(
    neighbours integer[], distances real[], entrants integer[], apart real[], leaving integer[], most integer
) RETURNS TABLE (neighbours integer[], distances real[], reach real, complete integer)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
    -- A list is complete up to its last member, with ties ordered by mbid. The mbid of one that left is not known.
    WITH last AS (
        SELECT
            merged_list.distances[most] AS distance,
            (
                SELECT r.mbid FROM pgsim.recording AS r
                WHERE r.id = merged_list.neighbours[most] AND r.id <> all(leaving)
            ) AS mbid
    )

    SELECT
        coalesce(array_agg(m.id ORDER BY m.place ASC) FILTER (WHERE m.place <= most), '{}') AS neighbours,
        coalesce(array_agg(m.distance ORDER BY m.place ASC) FILTER (WHERE m.place <= most), '{}') AS distances,
        (avg(m.distance) FILTER (WHERE m.place <= pgsim.reach_length()))::real AS reach,
        (count(*) FILTER (WHERE m.is_sure))::integer AS complete
    FROM (
        SELECT
            u.id,
            u.distance,
            row_number() OVER (ORDER BY u.distance ASC, r.mbid ASC) AS place,
            l.distance IS NULL OR u.distance < l.distance OR (u.distance = l.distance AND r.mbid <= l.mbid) AS is_sure
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
        CROSS JOIN last AS l
    ) AS m;
END;

COMMENT ON FUNCTION pgsim.merged_list(integer[], real[], integer[], real[], integer[], integer) IS
'Internal: a list without the recordings that leave it or are deleted, and with those that enter it. complete: how many of its first '
'members are certainly the nearest.';
