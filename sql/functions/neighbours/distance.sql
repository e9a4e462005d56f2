-- Inlined: for a constant measure, the planner sees a single expression.
CREATE OR REPLACE FUNCTION pgsim.distance(a vector, b vector, m pgsim.measure DEFAULT NULL) RETURNS real
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN m.factors IS NULL THEN a <-> b ELSE ((a * m.factors) <-> (b * m.factors)) * m.unit END::real;

COMMENT ON FUNCTION pgsim.distance(vector, vector, pgsim.measure) IS
'Internal: the distance between two vectors, the fused one or that of another measure.';
