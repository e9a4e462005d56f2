CREATE OR REPLACE FUNCTION pgsim.texts_in(value jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE coalesce(jsonb_typeof(value), 'null')
    WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(value))
    WHEN 'null' THEN '{}'::text[]
    ELSE ARRAY[value #>> '{}']
END;

COMMENT ON FUNCTION pgsim.texts_in(jsonb) IS
'Internal: the texts of a list, or the one text; empty for none.';
