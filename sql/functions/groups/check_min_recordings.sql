CREATE OR REPLACE FUNCTION pgsim.check_min_recordings(min_recordings integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    IF min_recordings < 1 THEN
        RAISE EXCEPTION 'min_recordings is %, but must be 1 or more', min_recordings
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.check_min_recordings(integer) IS
'Internal: raises an error for a number of recordings below 1.';
