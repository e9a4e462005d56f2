CREATE OR REPLACE FUNCTION pgsim.show_similarity(target text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    IF target IS NULL OR target NOT IN ('similarity_a', 'similarity_b') THEN
        RAISE EXCEPTION 'unknown target ''%''', coalesce(target, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'known: similarity_a, similarity_b';
    END IF;
    EXECUTE format(
        'CREATE OR REPLACE VIEW pgsim.similarity WITH (security_invoker = true) AS
        SELECT id, neighbours, distances, reach FROM pgsim.%I', target);
END
$$;

COMMENT ON FUNCTION pgsim.show_similarity(text) IS
'Internal: makes the view pgsim.similarity show similarity_a or similarity_b; cached plans follow. For the owner of the view alone.';
