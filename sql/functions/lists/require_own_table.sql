CREATE OR REPLACE FUNCTION pgsim.require_own_table(touched oid, wanted regclass) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    IF touched <> wanted::oid THEN
        RAISE EXCEPTION 'a trigger of table % calls a function that is for pgsim.% alone', touched::regclass, wanted
            USING ERRCODE = 'insufficient_privilege', HINT = 'drop the trigger';
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.require_own_table(oid, regclass) IS
'Internal: an error where a trigger is on another table (touched) than the one wanted. Whoever may call a trigger function may make a '
'trigger of it on a table of their own, whose columns have types and casts of their own; a function with its owner''s rights asks '
'this before it reads a row.';
