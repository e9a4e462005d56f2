-- The mean or the median of ten would lie between two groups, where no recording is like the new one.
CREATE OR REPLACE FUNCTION pgsim.amidst(neighbours integer[], OUT x real, OUT y real)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    WITH near AS (
        SELECT m.rank, point(p.x, p.y) AS place
        FROM unnest(neighbours) WITH ORDINALITY AS m (id, rank)
        INNER JOIN map_position AS p ON m.id = p.id
        ORDER BY m.rank
        LIMIT 10
    ), middle AS (
        SELECT n.place
        FROM near AS n
        ORDER BY (SELECT sum(n.place <-> o.place) FROM near AS o), n.rank
        LIMIT 1
    )
    SELECT avg(n.place[0]), avg(n.place[1])
    FROM (SELECT near.place FROM near CROSS JOIN middle ORDER BY near.place <-> middle.place, near.rank LIMIT 4) AS n;
$$;

COMMENT ON FUNCTION pgsim.amidst(integer[]) IS
'Internal: the place on the map amidst neighbours, nearest first: of the first ten that have a place, the one that the others are '
'nearest to, and the three nearest to it, on average. NULL where none has a place.';
