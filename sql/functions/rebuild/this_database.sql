CREATE OR REPLACE FUNCTION pgsim.this_database(OUT cluster bigint, OUT database oid)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    -- Some hosts keep this function to themselves; then the database alone has to do.
    IF has_function_privilege('pg_control_system()', 'EXECUTE') THEN
        SELECT s.system_identifier INTO cluster FROM pg_control_system() AS s;
    END IF;
    SELECT d.oid INTO database FROM pg_database AS d WHERE d.datname = current_database();
END
$$;

COMMENT ON FUNCTION pgsim.this_database() IS
'Internal: what tells this server and this database from all others; cluster is NULL where the role may not call pg_control_system().';
