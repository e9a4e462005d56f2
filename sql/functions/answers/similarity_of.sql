-- Inlined into the functions that call it. From an exponent of 80 on, exp() or real could raise an underflow error.
CREATE OR REPLACE FUNCTION pgsim.similarity_of(exponent double precision) RETURNS real
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN exponent < 80 THEN exp(-exponent) ELSE 0 END::real;

COMMENT ON FUNCTION pgsim.similarity_of(double precision) IS
'Internal: the similarity exp(-exponent), from 0 to 1, for an exponent as exponents() computes it; 0 where the exponent is NULL.';
