-- Inlined. A bound of 0.7 has to keep a stored 0.7::real, which is less than 0.7::double precision.
CREATE OR REPLACE FUNCTION pgsim.as_real(value double precision) RETURNS real
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value > 1e38 THEN 'Infinity' WHEN value < 1e-37 THEN 0 ELSE value END::real;

COMMENT ON FUNCTION pgsim.as_real(double precision) IS
'Internal: the real nearest to a bound that is not negative, for comparison with stored values; infinite or 0 where a real cannot '
'hold it.';
