CREATE OR REPLACE FUNCTION pgsim.exact_neighbours(seeds integer[], n integer)
RETURNS TABLE (id integer, neighbours integer[], distances real[], reach real)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        seed.id,
        list.neighbours,
        list.distances,
        list.reach
    FROM pgsim.recording AS seed
    CROSS JOIN
        LATERAL (
            SELECT
                coalesce(array_agg(o.id ORDER BY o.distance ASC, o.mbid ASC), '{}') AS neighbours,
                coalesce(array_agg(o.distance ORDER BY o.distance ASC, o.mbid ASC), '{}') AS distances,
                (avg(o.distance) FILTER (WHERE o.place <= pgsim.reach_length()))::real AS reach
            FROM (
                -- Number the rows after the LIMIT: before it, all would be sorted.
                SELECT
                    f.id,
                    f.mbid,
                    f.distance,
                    row_number() OVER (ORDER BY f.distance ASC, f.mbid ASC) AS place
                FROM (
                    SELECT
                        r.id,
                        r.mbid,
                        (r.vector <-> seed.vector)::real AS distance
                    FROM pgsim.recording AS r
                    WHERE r.vector IS NOT NULL AND r.id <> seed.id
                    ORDER BY (r.vector <-> seed.vector)::real ASC, r.mbid ASC
                    LIMIT n
                ) AS f
            ) AS o
        ) AS list
    WHERE seed.id = ANY(seeds) AND seed.vector IS NOT NULL;
END;

COMMENT ON FUNCTION pgsim.exact_neighbours(integer[], integer) IS
'Internal: the lists of n neighbours of these recordings, each by a scan of the whole collection.';
