CREATE OR REPLACE FUNCTION pgsim.map_recordings(
    x_from double precision DEFAULT NULL, x_to double precision DEFAULT NULL,
    y_from double precision DEFAULT NULL, y_to double precision DEFAULT NULL, k integer DEFAULT 1000
) RETURNS TABLE (mbid uuid, x real, y real, title text, artist text, genre text, year integer)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 1000
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    no_number text;
    area box;
    few integer;
    is_small boolean;
BEGIN
    IF k IS NULL OR k NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'k is %, but must be from 1 to 100000', coalesce(k::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT b.name INTO no_number
    FROM unnest(ARRAY['x_from', 'x_to', 'y_from', 'y_to'], ARRAY[x_from, x_to, y_from, y_to]) AS b (name, value)
    WHERE b.value = 'NaN' LIMIT 1;
    IF no_number IS NOT NULL THEN
        RAISE EXCEPTION '% is NaN, but must be a number', no_number
            USING ERRCODE = 'invalid_parameter_value', HINT = 'the map lies between -1 and 1';
    ELSIF x_from > x_to THEN
        RAISE EXCEPTION 'no x is both from % and to %', x_from, x_to
            USING ERRCODE = 'invalid_parameter_value', HINT = 'the map lies between -1 and 1';
    ELSIF y_from > y_to THEN
        RAISE EXCEPTION 'no y is both from % and to %', y_from, y_to
            USING ERRCODE = 'invalid_parameter_value', HINT = 'the map lies between -1 and 1';
    ELSIF NOT EXISTS (SELECT FROM map_position) THEN
        RAISE NOTICE 'there is no map: pgsim map makes one';
        RETURN;
    END IF;
    -- The nearest real: a bound of 0.7 has to keep a stored 0.7.
    x_from := least(greatest(x_from, -2), 2)::real;
    x_to := greatest(least(x_to, 2), -2)::real;
    y_from := least(greatest(y_from, -2), 2)::real;
    y_to := greatest(least(y_to, 2), -2)::real;
    area := box(point(x_from, y_from), point(x_to, y_to));
    -- Of n recordings, a walk by hash meets kn / m until it has found k in an area that holds m. As many as m where m² = kn.
    SELECT sqrt(k * greatest(c.reltuples, 1000)) INTO few FROM pg_class AS c WHERE c.oid = 'map_position'::regclass;
    SELECT count(*) <= few INTO is_small
    FROM (SELECT FROM map_position AS p WHERE point(p.x, p.y) <@ area LIMIT few + 1) AS inside;
    IF is_small THEN
        RETURN QUERY
        SELECT r.mbid, p.x, p.y, r.title, r.artist, r.genre, r.year::integer
        FROM map_position AS p
        INNER JOIN recording AS r ON p.id = r.id AND r.vector IS NOT NULL
        WHERE point(p.x, p.y) <@ area
        ORDER BY hashint4(p.id), p.id
        LIMIT k;
    ELSE
        RETURN QUERY
        SELECT r.mbid, p.x, p.y, r.title, r.artist, r.genre, r.year::integer
        FROM map_position AS p
        INNER JOIN recording AS r ON p.id = r.id AND r.vector IS NOT NULL
        WHERE p.x BETWEEN x_from AND x_to AND p.y BETWEEN y_from AND y_to
        ORDER BY hashint4(p.id), p.id
        LIMIT k;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.map_recordings(double precision, double precision, double precision, double precision, integer) IS
'The recordings of a rectangle of the map, with their places. Near recordings sound alike. Where the rectangle holds more
than k recordings, the rows are an even sample of them: those with the least hash of their number. So a part of the
rectangle holds these again, and more. year and genre are NULL where they are not known.

- x_from, x_to: bounds of x, both included; by default -1 and 1, between which all lie.
- y_from, y_to: bounds of y, likewise.
- k: greatest number of rows, from 1 to 100000; default 1000.

Without a map there are no rows, and a notice says so. Raises an error for a bound that is not a number, for bounds in the
wrong order, and for a k that is out of range.';
