CREATE OR REPLACE FUNCTION pgsim.require_built(
    k integer, ranking text,
    length_from real, length_to real, exclude uuid[], exclude_artists uuid[], max_per_artist integer,
    distinct_titles boolean, min_similarity real, metric text, weights jsonb, approximate boolean
) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    argument text;
BEGIN
    IF k IS NULL OR k NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'k is %, but must be from 1 to 1000', coalesce(k::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF ranking IS NULL OR ranking NOT IN ('similarity', 'distance') THEN
        RAISE EXCEPTION 'unknown ranking ''%''', coalesce(ranking, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'known: similarity, distance';
    END IF;
    argument := CASE
        WHEN length_from IS NOT NULL THEN 'length_from'
        WHEN length_to IS NOT NULL THEN 'length_to'
        WHEN exclude IS NOT NULL THEN 'exclude'
        WHEN exclude_artists IS NOT NULL THEN 'exclude_artists'
        WHEN max_per_artist IS NOT NULL THEN 'max_per_artist'
        WHEN distinct_titles THEN 'distinct_titles'
        WHEN min_similarity IS NOT NULL THEN 'min_similarity'
        WHEN metric IS NOT NULL THEN 'metric'
        WHEN weights IS NOT NULL THEN 'weights'
        WHEN approximate THEN 'approximate'
    END;
    IF argument IS NOT NULL THEN
        RAISE EXCEPTION '% is not available in this version of pgsim', argument
            USING ERRCODE = 'feature_not_supported', HINT = format('leave %s out of the question', argument);
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.require_built(
    integer, text, real, real, uuid[], uuid[], integer, boolean, real, text, jsonb, boolean
) IS 'Refuses a k or ranking that cannot be meant, and arguments that this version cannot serve yet.';
