CREATE OR REPLACE FUNCTION pgsim.mean_of(vectors vector[]) RETURNS vector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC SELECT avg(v.vector) FROM unnest(vectors) AS v (vector);
END;

COMMENT ON FUNCTION pgsim.mean_of(vector[]) IS 'Internal: the mean of vectors; NULL where there is none.';
