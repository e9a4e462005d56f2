CREATE OR REPLACE FUNCTION pgsim.show_similarity(target text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
BEGIN
    EXECUTE format(
        'CREATE OR REPLACE VIEW pgsim.similarity WITH (security_invoker = true) AS
        SELECT id, neighbours, distances, reach FROM pgsim.%I', target);
END
$$;

COMMENT ON FUNCTION pgsim.show_similarity(text) IS
'Makes the view pgsim.similarity show similarity_a or similarity_b; every cached plan follows.';
