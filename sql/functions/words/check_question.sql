CREATE OR REPLACE FUNCTION pgsim.check_question(
    k integer, ranking text DEFAULT 'similarity', max_per_artist integer DEFAULT NULL, min_similarity real DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF k IS NULL OR k NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'k is %, but must be from 1 to 1000', coalesce(k::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF ranking IS NULL OR ranking NOT IN ('similarity', 'distance') THEN
        RAISE EXCEPTION 'unknown ranking ''%''', coalesce(ranking, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'known: similarity, distance';
    ELSIF max_per_artist < 1 THEN
        RAISE EXCEPTION 'max_per_artist is %, but must be 1 or more', max_per_artist
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    ELSIF NOT min_similarity BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'min_similarity is %, but must be from 0 to 1', min_similarity
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.check_question(integer, text, integer, real) IS
'Refuses numbers and rankings that cannot be meant.';
