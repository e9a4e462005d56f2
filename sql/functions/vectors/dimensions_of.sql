CREATE OR REPLACE FUNCTION pgsim.dimensions_of(v vector) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC SELECT vector_dims(v);
END;

COMMENT ON FUNCTION pgsim.dimensions_of(vector) IS 'Internal: the number of dimensions of a vector.';
