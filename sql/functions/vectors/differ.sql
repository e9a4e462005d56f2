-- Not by IS DISTINCT FROM: a dump cannot say which schema its operator is in, so it could not be restored.
CREATE OR REPLACE FUNCTION pgsim.differ(a vector, b vector) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN a IS NULL OR b IS NULL THEN (a IS NULL) <> (b IS NULL) ELSE a <> b END;

COMMENT ON FUNCTION pgsim.differ(vector, vector) IS 'Internal: whether two vectors differ; NULL equals NULL.';
