CREATE OR REPLACE FUNCTION pgsim.refuse_row_security() RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    IF row_security_active('recording'::regclass) THEN
        RAISE EXCEPTION 'row-level security hides recordings from %, and the lists of the matrix have to be made of all', current_user
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'run it as a role that no policy restricts: the owner of pgsim.recording, or one with BYPASSRLS';
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.refuse_row_security() IS
'Internal: an error where row-level security may hide recordings from the caller.';
