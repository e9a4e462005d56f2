CREATE OR REPLACE FUNCTION pgsim.moved(v vector, w vector, share double precision) RETURNS vector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
        (
            SELECT array_agg(a.value + share * (b.value - a.value) ORDER BY a.place)::real[]
            FROM unnest(v::real[]) WITH ORDINALITY AS a (value, place)
            INNER JOIN unnest(w::real[]) WITH ORDINALITY AS b (value, place) ON a.place = b.place
        )::vector,
        v
    );
END;

COMMENT ON FUNCTION pgsim.moved(vector, vector, double precision) IS
'Internal: the first vector, moved by that share of the way to the second, or away from it where the share is negative; itself where the '
'second is NULL.';
