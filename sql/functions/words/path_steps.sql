CREATE OR REPLACE FUNCTION pgsim.path_steps(location text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    path text := replace(location, '\', '/');
BEGIN
    IF path ~* '^[a-z][a-z0-9+.-]+://' THEN
        path := regexp_replace(path, '^[^/]*//', '');
        BEGIN
            path := convert_from((
                SELECT string_agg(CASE WHEN length(m.part[1]) = 3 AND m.part[1] LIKE '\%%' THEN decode(substr(m.part[1], 2), 'hex')
                    ELSE convert_to(m.part[1], 'UTF8') END, '' ORDER BY m.place)
                FROM regexp_matches(path, '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') WITH ORDINALITY AS m (part, place)
            ), 'UTF8');
        EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
            NULL; -- its signs are those of another encoding
        END;
    END IF;
    RETURN nullif(string_to_array(reverse(folded(btrim(path, '/'))), '/'), '{}');
END
$$;

COMMENT ON FUNCTION pgsim.path_steps(text) IS
'Internal: the file name and the folders of a path or a URL, from the last to the first, each written backwards, without case and '
'accents; NULL for none.';
