CREATE OR REPLACE FUNCTION pgsim.shared_steps(a text[], b text[]) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT coalesce(min(s.place) - 1, least(cardinality(a), cardinality(b)))
    FROM generate_series(1, least(cardinality(a), cardinality(b))) AS s (place)
    WHERE a[s.place] <> b[s.place]
);

COMMENT ON FUNCTION pgsim.shared_steps(text[], text[]) IS
'Internal: how many steps of two paths are equal, counted from the file name.';
