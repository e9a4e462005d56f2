-- In plpgsql, because its temporary table exists only when it runs. By nested loop, because that table has no statistics.
CREATE OR REPLACE FUNCTION pgsim.enter_lists(list_length integer, OUT lists integer[], OUT moved integer[])
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
    WITH entered AS (
        SELECT
            s.id,
            s.neighbours[: p.place] || i.entrant || s.neighbours[p.place + 1 : list_length - 1] AS neighbours,
            s.distances[: p.place] || i.distance || s.distances[p.place + 1 : list_length - 1] AS distances,
            CASE WHEN p.place >= reach_length() THEN s.reach END AS reach
        FROM pg_temp.incoming_entrant AS i
        INNER JOIN similarity AS s ON i.id = s.id
        CROSS JOIN LATERAL (SELECT width_bucket(i.distance, s.distances) AS place) AS p
        -- The caller deals with ties, which are ordered by mbid, and with lists that are newer than the entrant.
        WHERE
            cardinality(s.neighbours) = list_length AND p.place < list_length
            AND i.distance IS DISTINCT FROM s.distances[p.place] AND i.entrant <> ALL(s.neighbours)
    ), stored AS (
        UPDATE similarity AS s
        SET
            neighbours = e.neighbours,
            distances = e.distances,
            reach = coalesce(e.reach, (SELECT avg(d.distance)::real FROM unnest(e.distances[: reach_length()]) AS d (distance)))
        FROM entered AS e
        WHERE s.id = e.id
        RETURNING s.id, e.reach IS NULL AS has_moved
    )
    SELECT coalesce(array_agg(s.id), '{}'), coalesce(array_agg(s.id) FILTER (WHERE s.has_moved), '{}')
    INTO lists, moved
    FROM stored AS s;
END
$$;

COMMENT ON FUNCTION pgsim.enter_lists(integer) IS
'Internal: puts each entrant of the temporary table incoming_entrant into its list of this length, and returns these lists '
'(recording.id), and which of them have moved: their reach is to be stored. It leaves out an entrant that ties with another member or '
'is in the list already.';
