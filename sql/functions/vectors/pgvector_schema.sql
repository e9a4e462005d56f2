CREATE OR REPLACE FUNCTION pgsim.pgvector_schema() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT quote_ident(n.nspname)
    FROM pg_catalog.pg_extension AS e
    INNER JOIN pg_catalog.pg_namespace AS n ON e.extnamespace = n.oid
    WHERE e.extname = 'vector';
END;

COMMENT ON FUNCTION pgsim.pgvector_schema() IS
'Internal: the schema that holds pgvector, quoted, for statements that are put together at run time.';
