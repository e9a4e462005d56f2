CREATE OR REPLACE FUNCTION pgsim.weighted_norm(v vector, factors vector) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC SELECT vector_norm(v * factors);
END;

COMMENT ON FUNCTION pgsim.weighted_norm(vector, vector) IS
'Internal: the Euclidean length of a vector whose dimensions are multiplied by factors.';
