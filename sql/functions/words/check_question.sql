CREATE OR REPLACE FUNCTION pgsim.check_question(k integer, ranking text DEFAULT 'similarity') RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF k IS NULL OR k NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'k is %, but must be from 1 to 1000', coalesce(k::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF ranking IS NULL OR ranking NOT IN ('similarity', 'distance') THEN
        RAISE EXCEPTION 'unknown ranking ''%''', coalesce(ranking, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'known: similarity, distance';
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.check_question(integer, text) IS
'Internal: raises an error for a k out of range and for an unknown ranking.';
