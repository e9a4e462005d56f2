CREATE OR REPLACE FUNCTION pgsim.listed_neighbours(
    seed_id integer, query vector, neighbours integer[], distances real[],
    pending integer[], f pgsim.recording_filter
) RETURNS TABLE (id integer, distance real)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT
        c.id,
        c.distance
    FROM (
        SELECT
            r.id,
            r.mbid,
            l.distance
        FROM unnest(neighbours, distances) AS l (id, distance)
        INNER JOIN pgsim.recording AS r ON l.id = r.id
        WHERE r.id <> ALL(pending) AND (f IS NULL OR pgsim.matches(r, f))
        UNION ALL
        SELECT
            r.id,
            r.mbid,
            (r.vector <-> query)::real AS distance
        FROM pgsim.recording AS r
        WHERE
            r.id = ANY(pending)
            AND r.id <> seed_id
            AND (r.vector <-> query)::real <= distances[cardinality(distances)]
            AND (f IS NULL OR pgsim.matches(r, f))
    ) AS c
    ORDER BY c.distance ASC, c.mbid ASC;
END;

COMMENT ON FUNCTION pgsim.listed_neighbours(
    integer, vector, integer[], real[], integer[], pgsim.recording_filter
) IS
'A stored list as it is now: without the dead and the changed, with the pending ones as near as its last member, only those that match.';
