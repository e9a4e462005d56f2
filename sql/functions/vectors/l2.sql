-- Bound to pgvector's operator when it is made, and inlined, so that an index still serves an order by it: no
-- function that runs with another's rights looks for an operator along a path.
CREATE OR REPLACE FUNCTION pgsim.l2(a vector, b vector) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC SELECT a <-> b;
END;

COMMENT ON FUNCTION pgsim.l2(vector, vector) IS 'Internal: the Euclidean distance between two vectors, by pgvector''s operator <->.';
