-- SECURITY DEFINER: only the owner can replace a view, but each role that may fill the matrix may switch it.
-- The function asks for the rights of the session's role, because a dump contains no rights to functions.
CREATE OR REPLACE FUNCTION pgsim.show_similarity(target text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    caller CONSTANT name := coalesce(nullif(current_setting('role'), 'none'), session_user);
BEGIN
    IF target IS NULL OR target NOT IN ('similarity_a', 'similarity_b') THEN
        RAISE EXCEPTION 'unknown target ''%''', coalesce(target, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'known: similarity_a, similarity_b';
    ELSIF NOT has_table_privilege(caller, 'pgsim.rebuild', 'UPDATE') THEN
        RAISE EXCEPTION 'role ''%'' may not change what pgsim.similarity shows', caller
            USING ERRCODE = 'insufficient_privilege', HINT = format('GRANT pgsim_writer TO %I', caller);
    END IF;
    EXECUTE format(
        'CREATE OR REPLACE VIEW pgsim.similarity WITH (security_invoker = true) AS
        SELECT id, neighbours, distances, reach FROM pgsim.%I', target);
END
$$;

COMMENT ON FUNCTION pgsim.show_similarity(text) IS
'Internal: makes the view pgsim.similarity show similarity_a or similarity_b; cached plans follow. For roles that may update '
'pgsim.rebuild.';
