-- Inlined into the functions that call it. The index recording_artist_name has the same expression.
CREATE OR REPLACE FUNCTION pgsim.artist_name(artist text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN left(coalesce(
    nullif(replace(regexp_replace(
        pgsim.folded(artist),
        '\s*;.*|[\s(\[]+(?:feat|ft|featuring)[.\s].*|[\u0001-\u001F!"''-*,-/:-?\[-`{-\u00BF\u2010-\u205E\u3000-\u3002]+', '', 'g'
    ), ' ', ''), ''),
    nullif(btrim(pgsim.folded(artist)), '')
), 500);

COMMENT ON FUNCTION pgsim.artist_name(text) IS
'Internal: the artist that a credit names: the credit up to "feat." or a semicolon, without case, accents, blanks and punctuation; NULL '
'where it names nobody; 500 characters at most, for the index. "&" and "and" stay: they may join the members of one name.';
