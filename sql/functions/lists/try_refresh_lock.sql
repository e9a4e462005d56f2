CREATE OR REPLACE FUNCTION pgsim.try_refresh_lock() RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    IF pg_try_advisory_xact_lock(hashtext('pgsim.similarity')) THEN
        RETURN true;
    END IF;
    -- By this mark the holder knows that somebody waits, and lets others in.
    PERFORM pg_try_advisory_xact_lock_shared(hashtext('pgsim.similarity.waiting'));
    RETURN false;
END
$$;

COMMENT ON FUNCTION pgsim.try_refresh_lock() IS
'Internal: whether this transaction could take the lock of the matrix, which it then holds until its end. If not, it counts as waiting '
'for the lock until its end.';
