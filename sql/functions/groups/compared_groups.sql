CREATE OR REPLACE FUNCTION pgsim.compared_groups(
    own integer[], keys text[], by_album boolean, min_recordings integer, f pgsim.recording_filter, pending integer[]
) RETURNS SETOF pgsim.compared_group
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    -- Of more recordings, these are compared, the first by MBID.
    most CONSTANT integer := 100;
    ids integer[];
    groups text[];
    counts integer[];
BEGIN
    SELECT array_agg(m.id), array_agg(m.key), array_agg(m.recordings) INTO ids, groups, counts
    FROM (
        SELECT
            g.key, g.id, count(*) OVER (PARTITION BY g.key)::integer AS recordings,
            row_number() OVER (PARTITION BY g.key ORDER BY r.mbid) AS place
        FROM group_members(keys, by_album, f) AS g INNER JOIN recording AS r ON g.id = r.id
        WHERE g.id <> ALL(own)
    ) AS m
    WHERE m.place <= most AND m.recordings >= min_recordings;
    own := ARRAY(SELECT r.id FROM recording AS r WHERE r.id = ANY(own) ORDER BY r.mbid LIMIT most);
    RETURN QUERY
    WITH used AS (
        SELECT array_agg(DISTINCT u.id) AS ids FROM unnest(own || ids) AS u (id)
    ), compared AS MATERIALIZED (
        -- At distance 1 from a reach of 1, the exponent is one over the other reach.
        SELECT r.id, r.mbid, r.vector, coalesce(1 / e.exponent, 0) AS reach
        FROM used AS u
        CROSS JOIN LATERAL exponents(u.ids, array_fill(1::real, ARRAY[cardinality(u.ids)]), 1, pending) AS e
        INNER JOIN recording AS r ON e.id = r.id
    ), seed AS MATERIALIZED (
        SELECT c.* FROM unnest(own) AS s (id) INNER JOIN compared AS c ON s.id = c.id
    ), member AS MATERIALIZED (
        SELECT m.key, m.recordings, c.* FROM unnest(ids, groups, counts) AS m (id, key, recordings) INNER JOIN compared AS c ON m.id = c.id
    ), pair AS MATERIALIZED (
        SELECT
            m.key, s.id AS own_id, m.id AS other_id, d.distance,
            CASE WHEN d.distance = 0 THEN 0 ELSE d.distance::double precision ^ 2 / nullif(s.reach * m.reach, 0) END AS exponent
        FROM member AS m CROSS JOIN seed AS s CROSS JOIN LATERAL (SELECT distance(m.vector, s.vector) AS distance) AS d
    ), best AS MATERIALIZED (
        SELECT b.key, avg(similarity_of(b.exponent)::double precision) AS similarity
        FROM (SELECT p.key, p.own_id, min(p.exponent) AS exponent FROM pair AS p GROUP BY p.key, p.own_id) AS b
        GROUP BY b.key
    ), own_middle AS MATERIALIZED (
        SELECT mean_of(array_agg(s.vector)) AS vector, avg(s.reach) AS reach FROM seed AS s
    ), middle AS MATERIALIZED (
        SELECT m.key, m.recordings, distance(mean_of(array_agg(m.vector)), o.vector) AS distance, avg(m.reach) * o.reach AS reach
        FROM member AS m CROSS JOIN own_middle AS o
        GROUP BY m.key, m.recordings, o.vector, o.reach
    ), nearest AS MATERIALIZED (
        SELECT DISTINCT ON (p.key) p.key, p.own_id, p.other_id, p.distance
        FROM pair AS p
        INNER JOIN (SELECT a.key, min(a.distance) AS distance FROM pair AS a GROUP BY a.key) AS l
            ON p.key = l.key AND p.distance = l.distance
        INNER JOIN seed AS s ON p.own_id = s.id
        INNER JOIN member AS m ON p.other_id = m.id AND p.key = m.key
        ORDER BY p.key, s.mbid, m.mbid
    )
    SELECT
        c.key,
        sqrt(b.similarity * similarity_of(
            CASE WHEN c.distance = 0 THEN 0 ELSE c.distance::double precision ^ 2 / nullif(c.reach, 0) END))::real,
        c.recordings, n.own_id, n.other_id, n.distance
    FROM middle AS c INNER JOIN best AS b ON c.key = b.key INNER JOIN nearest AS n ON c.key = n.key;
END
$$;

COMMENT ON FUNCTION pgsim.compared_groups(integer[], text[], boolean, integer, pgsim.recording_filter, integer[]) IS
'Internal: artists, or albums, compared with some recordings, own: the similarity, how many recordings match, and the nearest pair. The '
'similarity is the geometric mean of two: of each own recording''s to the most similar of the other''s, on average, and of the means of '
'both. Those with fewer than min_recordings are left out.';
