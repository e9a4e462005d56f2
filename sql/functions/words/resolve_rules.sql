CREATE OR REPLACE FUNCTION pgsim.resolve_rules(
    max_per_artist integer, max_per_album integer, distinct_titles boolean, min_similarity double precision, songs text[] DEFAULT NULL
) RETURNS pgsim.question_rules
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
    IF max_per_artist < 1 THEN
        RAISE EXCEPTION 'max_per_artist is %, but must be 1 or more', max_per_artist
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    ELSIF max_per_album < 1 THEN
        RAISE EXCEPTION 'max_per_album is %, but must be 1 or more', max_per_album
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    ELSIF NOT min_similarity BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'min_similarity is %, but must be from 0 to 1', min_similarity
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    END IF;
    RETURN ROW(
        max_per_artist,
        max_per_album,
        nullif(distinct_titles, false),
        nullif(pgsim.as_real(min_similarity), 0),
        CASE WHEN distinct_titles THEN songs END
    )::pgsim.question_rules;
END
$$;

COMMENT ON FUNCTION pgsim.resolve_rules(integer, integer, boolean, double precision, text[]) IS
'Internal: the rules of a question, NULL where they leave nothing out; an error for a number out of range.';
