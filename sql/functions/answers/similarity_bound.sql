-- At similarity s, d^2 = -ln(s) * reach(a) * reach(b). And reach(b) <= reach(a) + d: the nearest recordings of a are
-- at most d farther from b than from a.
CREATE OR REPLACE FUNCTION pgsim.similarity_bound(least_similarity real, reach real) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN reach * (-ln(least_similarity) + sqrt(ln(least_similarity) ^ 2 - 4 * ln(least_similarity))) / 2;

COMMENT ON FUNCTION pgsim.similarity_bound(real, real) IS
'Internal: the distance beyond which no recording can have this similarity to a recording with this reach.';
