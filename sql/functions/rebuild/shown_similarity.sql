CREATE OR REPLACE FUNCTION pgsim.shown_similarity() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    SELECT c.relname::text
    FROM pg_rewrite AS w
    INNER JOIN pg_depend AS d ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
    INNER JOIN pg_class AS c ON d.refobjid = c.oid AND d.refclassid = 'pg_class'::regclass
    WHERE w.ev_class = to_regclass('similarity') AND c.relkind = 'r'
    LIMIT 1;
$$;

COMMENT ON FUNCTION pgsim.shown_similarity() IS
'Internal: which of similarity_a and similarity_b the view pgsim.similarity shows.';
