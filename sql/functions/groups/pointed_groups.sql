CREATE OR REPLACE FUNCTION pgsim.pointed_groups(
    own integer[], depth integer, by_album boolean, except_keys text[], except_artists text[], f pgsim.recording_filter, pending integer[]
) RETURNS TABLE (key text, share real)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    has_filter CONSTANT boolean := NOT f IS NULL;
BEGIN
    RETURN QUERY
    WITH seed AS (
        SELECT r.id, r.vector, l.neighbours, l.distances, l.reach
        FROM unnest(own) AS o (id)
        INNER JOIN recording AS r ON o.id = r.id
        -- A stored list and reach count only if the vector has not changed since.
        LEFT JOIN similarity AS l
            ON o.id = l.id AND (o.id <> ALL(pending) OR (pending IS NULL AND NOT EXISTS (SELECT FROM stale AS t WHERE t.id = o.id)))
    ), near AS (
        SELECT s.id AS seed, s.reach, u.ids, u.distances
        FROM seed AS s
        CROSS JOIN LATERAL (SELECT s.neighbours[:depth] AS ids, s.distances[:depth] AS distances) AS u
        WHERE pending = '{}' AND s.neighbours IS NOT NULL
        UNION ALL
        SELECT s.id, s.reach, u.ids, u.distances
        FROM seed AS s
        CROSS JOIN LATERAL (
            SELECT array_agg(n.id) AS ids, array_agg(n.distance) AS distances
            FROM (
                SELECT c.id, c.distance
                FROM listed_neighbours(s.id, s.vector, s.neighbours, s.distances, pending, NULL) AS c
                LIMIT depth
            ) AS n
        ) AS u
        WHERE pending <> '{}' AND s.neighbours IS NOT NULL
        UNION ALL
        SELECT s.id, coalesce(s.reach, live_reach(s.vector, s.id)), u.ids, u.distances
        FROM seed AS s
        CROSS JOIN LATERAL (
            SELECT array_agg(n.id) AS ids, array_agg(n.distance) AS distances
            FROM nearest_matching(plain_seed(s.vector, s.id), depth) AS n
        ) AS u
        WHERE s.neighbours IS NULL OR pending IS NULL
    ), pointed AS (
        SELECT e.id, sum(similarity_of(e.exponent)) AS weight
        FROM near AS n CROSS JOIN LATERAL exponents(n.ids, n.distances, n.reach, pending) AS e
        GROUP BY e.id
    ), counted AS (
        SELECT p.weight, group_keys(r, by_album) AS keys
        FROM pointed AS p INNER JOIN recording AS r ON p.id = r.id
        WHERE
            p.id <> ALL(own)
            AND (NOT has_filter OR matches(r, f))
            AND (except_artists IS NULL OR NOT artist_keys(r.artist_mbids, r.artist) && except_artists)
    )
    SELECT u.key, (sum(c.weight) / nullif((SELECT sum(w.weight) FROM counted AS w), 0))::real AS share
    FROM counted AS c CROSS JOIN LATERAL (SELECT DISTINCT k.key FROM unnest(c.keys) AS k (key)) AS u
    WHERE u.key <> ALL(except_keys)
    GROUP BY u.key
    ORDER BY share DESC, u.key;
END
$$;

COMMENT ON FUNCTION pgsim.pointed_groups(
    integer[], integer, boolean, text[], text[], pgsim.recording_filter, integer[]
) IS
'Internal: the artists, or albums, of the recordings that are among the depth nearest of some recordings, without the recordings '
'themselves, and each one''s share of the similarities: the greatest first.';
