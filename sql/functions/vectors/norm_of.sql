CREATE OR REPLACE FUNCTION pgsim.norm_of(v vector) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC SELECT vector_norm(v);
END;

COMMENT ON FUNCTION pgsim.norm_of(vector) IS 'Internal: the Euclidean length of a vector.';
