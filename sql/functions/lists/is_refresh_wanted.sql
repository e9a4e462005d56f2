CREATE OR REPLACE FUNCTION pgsim.is_refresh_wanted() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT lock_holder('pgsim.similarity.waiting') IS NOT NULL;
$$;

COMMENT ON FUNCTION pgsim.is_refresh_wanted() IS
'Internal: whether another session waits for the lock of the matrix.';
