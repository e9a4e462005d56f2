-- SECURITY DEFINER: only the owner can replace a view, but each role that may finish a rebuild switches it. The right is
-- that to the table: a function that asked who called it could be called through another's.
CREATE OR REPLACE FUNCTION pgsim.rebuild_finished() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    PERFORM require_own_table(TG_RELID, 'rebuild');
    PERFORM show_similarity(NEW.target);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgsim.rebuild_finished() IS
'Internal: trigger function. Makes the view pgsim.similarity show the table that a rebuild has filled.';
