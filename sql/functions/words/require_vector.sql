CREATE OR REPLACE FUNCTION pgsim.require_vector(query vector) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    dimensions CONSTANT integer := (
        SELECT a.atttypmod FROM pg_attribute AS a WHERE a.attrelid = 'recording'::regclass AND a.attname = 'vector');
BEGIN
    IF query IS NULL THEN
        RAISE EXCEPTION 'the query vector is NULL'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'an unknown recording, or one without features, has no vector';
    ELSIF dimensions_of(query) <> dimensions THEN
        RAISE EXCEPTION 'the query vector has % dimensions, but the recordings have %', dimensions_of(query), dimensions
            USING ERRCODE = 'data_exception', HINT = 'ask with a vector of this database''s feature space, such as recording.vector';
    ELSIF norm_of(query) >= 1e12 THEN
        RAISE EXCEPTION 'the query vector is % long, but must be shorter than 1e12', norm_of(query)
            USING ERRCODE = 'data_exception', HINT = 'ask with a vector of this database''s feature space, such as recording.vector';
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.require_vector(vector) IS
'Internal: raises an error for a query vector that is NULL or has another number of dimensions than the recordings, '
'and for one too long for its distances to be finite.';
