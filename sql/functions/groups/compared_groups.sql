CREATE OR REPLACE FUNCTION pgsim.compared_groups(
    own integer[], keys text[], by_album boolean, min_recordings integer, f pgsim.recording_filter, pending integer[]
) RETURNS SETOF pgsim.compared_group
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    -- Of more recordings, these are compared, the first by MBID.
    most CONSTANT integer := 25;
    -- In place of one over a reach of 0.
    boundless CONSTANT double precision := 1e100;
    ids integer[];
    places integer[];
    counts integer[];
BEGIN
    SELECT array_agg(m.id), array_agg(m.place), array_agg(m.recordings) INTO ids, places, counts
    FROM (
        SELECT
            array_position(keys, g.key) AS place, g.id, count(*) OVER (PARTITION BY g.key)::integer AS recordings,
            row_number() OVER (PARTITION BY g.key ORDER BY g.mbid) AS number
        FROM group_members(keys, by_album, f) AS g
        WHERE g.id <> ALL(own)
    ) AS m
    WHERE m.number <= most AND m.recordings >= min_recordings;
    own := ARRAY(SELECT r.id FROM recording AS r WHERE r.id = ANY(own) ORDER BY r.mbid LIMIT most);

    RETURN QUERY
    WITH used AS (
        SELECT array_agg(DISTINCT u.id) AS ids FROM unnest(own || ids) AS u (id)
    ), compared AS MATERIALIZED (
        -- At distance 1 from a reach of 1, the exponent is one over the other reach.
        SELECT r.id, r.mbid, r.vector, coalesce(e.exponent, boundless) AS tightness
        FROM used AS u
        CROSS JOIN LATERAL exponents(u.ids, array_fill(1::real, ARRAY[cardinality(u.ids)]), 1, pending) AS e
        INNER JOIN recording AS r ON e.id = r.id
    ), seed AS MATERIALIZED (
        SELECT c.*, s.number::integer AS number FROM unnest(own) WITH ORDINALITY AS s (id, number) INNER JOIN compared AS c ON s.id = c.id
    ), member AS MATERIALIZED (
        SELECT c.*, m.place, m.recordings
        FROM unnest(ids, places, counts) AS m (id, place, recordings) INNER JOIN compared AS c ON m.id = c.id
    ), pair AS MATERIALIZED (
        SELECT
            m.place, s.number,
            min(power(distance(m.vector, s.vector), 2) * m.tightness) * max(s.tightness) AS exponent,
            min(distance(m.vector, s.vector)) AS distance
        FROM member AS m CROSS JOIN seed AS s
        GROUP BY m.place, s.number
    ), best AS MATERIALIZED (
        SELECT p.place, avg(similarity_of(p.exponent)::double precision) AS similarity FROM pair AS p GROUP BY p.place
    ), own_middle AS MATERIALIZED (
        SELECT mean_of(array_agg(s.vector)) AS vector, avg(1 / s.tightness) AS reach FROM seed AS s
    ), middle AS MATERIALIZED (
        SELECT
            m.place, max(m.recordings) AS recordings,
            power(distance(mean_of(array_agg(m.vector)), o.vector), 2) / (avg(1 / m.tightness) * o.reach) AS exponent
        FROM member AS m CROSS JOIN own_middle AS o
        GROUP BY m.place, o.vector, o.reach
    ), nearest AS MATERIALIZED (
        SELECT DISTINCT ON (p.place) p.place, p.number, p.distance FROM pair AS p ORDER BY p.place, p.distance, p.number
    ), nearest_pair AS MATERIALIZED (
        SELECT DISTINCT ON (n.place) n.place, s.id AS own_id, m.id AS other_id, n.distance
        FROM nearest AS n
        INNER JOIN seed AS s ON n.number = s.number
        INNER JOIN member AS m ON n.place = m.place
        WHERE distance(m.vector, s.vector) = n.distance
        ORDER BY n.place, m.mbid
    )
    SELECT keys[c.place], sqrt(b.similarity * similarity_of(c.exponent))::real, c.recordings, n.own_id, n.other_id, n.distance
    FROM middle AS c INNER JOIN best AS b ON c.place = b.place INNER JOIN nearest_pair AS n ON c.place = n.place;
END
$$;

COMMENT ON FUNCTION pgsim.compared_groups(integer[], text[], boolean, integer, pgsim.recording_filter, integer[]) IS
'Internal: artists, or albums, compared with some recordings, own: the similarity, how many recordings match, and the nearest pair. The '
'similarity is the geometric mean of two: of each own recording''s to the most similar of the other''s, on average, and of the means of '
'both. Those with fewer than min_recordings are left out.';
