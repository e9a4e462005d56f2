CREATE OR REPLACE FUNCTION pgsim.refresh_lock() RETURNS void
LANGUAGE sql VOLATILE
SET search_path FROM CURRENT
AS $$
    SELECT pg_advisory_xact_lock(hashtext('pgsim.similarity'));
$$;

COMMENT ON FUNCTION pgsim.refresh_lock() IS
'Waits until no other transaction changes the matrix, and keeps others from it until this one ends.';
