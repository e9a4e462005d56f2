-- Inlined into the functions that call it. Most texts are ASCII, and need no more than lower().
CREATE OR REPLACE FUNCTION pgsim.folded(words text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN octet_length(words) = length(words) THEN lower(words)
    ELSE lower(normalize(regexp_replace(normalize(words, nfkd), '[\u0300-\u036F]', '', 'g'), nfkc))
END;

COMMENT ON FUNCTION pgsim.folded(text) IS
'Internal: a text in lower case, without width and accents.';
