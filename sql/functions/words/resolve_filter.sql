-- enable_seqscan = off: the planner would scan the table until it finds one recording of the genre, and for a rare
-- genre that is the whole table.
CREATE OR REPLACE FUNCTION pgsim.resolve_filter(
    genre text, decade integer, year_from integer, year_to integer,
    length_from double precision DEFAULT NULL, length_to double precision DEFAULT NULL,
    exclude uuid[] DEFAULT NULL, exclude_artists uuid[] DEFAULT NULL
) RETURNS pgsim.recording_filter
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_variable
DECLARE
    result recording_filter;
    scheme text;
    known text;
BEGIN
    IF decade NOT BETWEEN 0 AND 9999 THEN
        RAISE EXCEPTION 'decade is %, but must be from 0 to 9990', decade
            USING ERRCODE = 'invalid_parameter_value', HINT = 'decade => 1990 asks for the years 1990 to 1999';
    ELSIF decade % 10 <> 0 THEN
        RAISE EXCEPTION 'decade is %, but must be a multiple of 10', decade
            USING ERRCODE = 'invalid_parameter_value', HINT = format('ask for decade => %s', decade - decade % 10);
    ELSIF year_from NOT BETWEEN 0 AND 9999 THEN
        RAISE EXCEPTION 'year_from is %, but must be from 0 to 9999', year_from
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    ELSIF year_to NOT BETWEEN 0 AND 9999 THEN
        RAISE EXCEPTION 'year_to is %, but must be from 0 to 9999', year_to
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    ELSIF NOT length_from BETWEEN 0 AND 'Infinity' THEN
        RAISE EXCEPTION 'length_from is %, but must be 0 seconds or more', length_from
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    ELSIF NOT length_to BETWEEN 0 AND 'Infinity' THEN
        RAISE EXCEPTION 'length_to is %, but must be 0 seconds or more', length_to
            USING ERRCODE = 'invalid_parameter_value', HINT = 'leave it out for no limit';
    END IF;
    result.year_from := greatest(year_from, decade);
    result.year_to := least(year_to, decade + 9);
    IF result.year_from > result.year_to THEN
        RAISE EXCEPTION 'no year is both from % and to %', result.year_from, result.year_to
            USING ERRCODE = 'invalid_parameter_value', HINT = 'check decade, year_from and year_to';
    END IF;
    IF length_from > length_to THEN
        RAISE EXCEPTION 'no length is both from % and to % seconds', length_from, length_to
            USING ERRCODE = 'invalid_parameter_value', HINT = 'check length_from and length_to';
    END IF;
    result.length_from := as_real(length_from);
    result.length_to := as_real(length_to);
    IF exclude IS NOT NULL THEN
        -- Old MBIDs are followed. An empty array is no condition.
        result.exclude := nullif(array_remove(exclude, NULL) || ARRAY(
            SELECT r.mbid
            FROM unnest(exclude) AS e (mbid)
            INNER JOIN redirect AS d ON e.mbid = d.mbid
            INNER JOIN recording AS r ON r.id = redirected_recording(d.mbid)
            WHERE NOT EXISTS (SELECT FROM recording AS own WHERE own.mbid = e.mbid)
        ), '{}');
    END IF;
    result.exclude_artists := nullif(array_remove(exclude_artists, NULL), '{}');
    IF genre IS NULL THEN
        RETURN result;
    END IF;

    IF EXISTS (SELECT FROM recording AS r WHERE r.genre = resolve_filter.genre AND r.vector IS NOT NULL) THEN
        result.genre := genre;
        RETURN result;
    END IF;
    -- A label of the default scheme in any place: a recording can have several, and plain SQL may give it the first alone.
    SELECT c.genre_scheme INTO scheme FROM collection AS c;
    result.label := CASE WHEN starts_with(genre, scheme || ':') THEN genre ELSE format('%s:%s', scheme, genre) END;
    result.genre := substr(result.label, length(scheme) + 2);
    IF
        EXISTS (SELECT FROM recording AS r WHERE r.genre = result.genre AND r.vector IS NOT NULL)
        OR EXISTS (SELECT FROM recording AS r WHERE r.genres @> ARRAY[result.label] AND r.vector IS NOT NULL)
    THEN
        RETURN result;
    END IF;
    IF starts_with(genre, scheme || ':') THEN
        genre := result.genre;
    END IF;
    result.genre := NULL;
    result.label := NULL;
    IF genre LIKE '%:%' THEN
        IF EXISTS (SELECT FROM recording AS r WHERE r.genres @> ARRAY[resolve_filter.genre] AND r.vector IS NOT NULL) THEN
            result.label := genre;
            RETURN result;
        END IF;
        scheme := split_part(genre, ':', 1) || ':';
        WITH label AS (
            SELECT DISTINCT l.name
            FROM (SELECT r.genres FROM recording AS r WHERE r.vector IS NOT NULL LIMIT 100000) AS f,
                unnest(f.genres) AS l (name)
        )
        SELECT coalesce(
            'known labels of that scheme: ' || (
                SELECT string_agg(s.name, ', ' ORDER BY s.name)
                FROM (SELECT label.name FROM label WHERE starts_with(label.name, scheme) ORDER BY label.name LIMIT 40) AS s
            ),
            'known schemes: ' || (SELECT string_agg(DISTINCT split_part(label.name, ':', 1), ', ') FROM label WHERE label.name LIKE '%:%'),
            'no recording has a label of any scheme'
        ) INTO known;
        RAISE EXCEPTION 'unknown genre ''%'': no recording has it', genre
            USING ERRCODE = 'invalid_parameter_value', HINT = known;
    END IF;

    -- A skip scan: one index probe for each label.
    WITH RECURSIVE label (name) AS (
        SELECT min(r.genre) FROM recording AS r WHERE r.vector IS NOT NULL
        UNION ALL
        SELECT (SELECT min(r.genre) FROM recording AS r WHERE r.vector IS NOT NULL AND r.genre > label.name)
        FROM label WHERE label.name IS NOT NULL
    )
    SELECT string_agg(first.name, ', ' ORDER BY first.name) INTO known
    FROM (SELECT label.name FROM label WHERE label.name IS NOT NULL LIMIT 40) AS first;
    RAISE EXCEPTION 'unknown genre ''%'': no recording has it', genre
        USING ERRCODE = 'invalid_parameter_value',
            HINT = format('known: %s; a label of another scheme is written as scheme:label', coalesce(known, 'none'));
END
$$;

COMMENT ON FUNCTION pgsim.resolve_filter(text, integer, integer, integer, double precision, double precision, uuid[], uuid[]) IS
'Internal: the conditions of a question; an error for an unknown genre, for a number out of range, and for ranges that hold nothing.';
