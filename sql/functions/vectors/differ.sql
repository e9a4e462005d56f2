CREATE OR REPLACE FUNCTION pgsim.differ(a vector, b vector) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN a IS DISTINCT FROM b;

COMMENT ON FUNCTION pgsim.differ(vector, vector) IS 'Internal: whether two vectors differ; NULL equals NULL.';
