-- A count of millions of rows would take seconds, at each look of a monitor.
CREATE OR REPLACE FUNCTION pgsim.rows_of(relation regclass) RETURNS double precision
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    found double precision;
BEGIN
    SELECT c.reltuples INTO found FROM pg_class AS c WHERE c.oid = relation;
    IF found < 100000 THEN
        EXECUTE format('SELECT count(*) FROM %s', relation) INTO found;
    END IF;
    RETURN found;
END
$$;

COMMENT ON FUNCTION pgsim.rows_of(regclass) IS
'Internal: the number of rows of a table; from 100,000 on, the estimate of the last VACUUM or ANALYZE.';
