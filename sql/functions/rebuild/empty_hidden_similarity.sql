CREATE OR REPLACE FUNCTION pgsim.empty_hidden_similarity() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    PERFORM refresh_lock();
    IF EXISTS (SELECT FROM rebuild AS r WHERE r.finished_at IS NULL) THEN
        RETURN; -- a rebuild is filling it
    ELSIF shown_similarity() = 'similarity_a' THEN
        TRUNCATE similarity_b;
    ELSE
        TRUNCATE similarity_a;
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.empty_hidden_similarity() IS
'Internal: gives back the disk space of the table that the view pgsim.similarity does not show, which holds the matrix before the last '
'rebuild.';
