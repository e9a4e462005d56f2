CREATE OR REPLACE FUNCTION pgsim.listed_neighbours(
    seed_id integer, query vector, neighbours integer[], distances real[],
    pending integer[], f pgsim.recording_filter
) RETURNS TABLE (id integer, distance real)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    -- A list is complete up to its last member, with ties ordered by mbid: of those that are still there, that have not
    -- changed, and that the caller may see, since the mbid of another is not known.
    WITH last AS (
        SELECT
            l.distance,
            r.mbid
        FROM unnest(neighbours, distances) WITH ORDINALITY AS l (id, distance, place)
        INNER JOIN pgsim.recording AS r ON l.id = r.id
        WHERE r.id <> ALL(pending)
        ORDER BY l.place DESC
        LIMIT 1
    )

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
            d.distance
        FROM pgsim.recording AS r
        CROSS JOIN LATERAL (SELECT (r.vector <-> query)::real AS distance) AS d
        INNER JOIN last AS l ON (d.distance, r.mbid) <= (l.distance, l.mbid)
        WHERE r.id = ANY(pending) AND r.id <> seed_id AND (f IS NULL OR pgsim.matches(r, f))
    ) AS c
    ORDER BY c.distance ASC, c.mbid ASC;
END;

COMMENT ON FUNCTION pgsim.listed_neighbours(integer, vector, integer[], real[], integer[], pgsim.recording_filter) IS
'Internal: a stored list as it is now: without deleted, changed and hidden recordings, and with the pending ones that are as near as '
'its last member; only recordings that match.';
