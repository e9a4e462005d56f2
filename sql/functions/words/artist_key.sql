-- Inlined into matches(), which a scan calls for every row.
CREATE OR REPLACE FUNCTION pgsim.artist_key(artist_mbids uuid[], artist text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    artist_mbids[1]::text,
    nullif(replace(regexp_replace(
        pgsim.folded(artist),
        '\s*;.*|[\s(\[]+(?:feat|ft|featuring)[.\s].*|[\u0001-\u001F!"''-*,-/:-?\[-`{-\u00BF\u2010-\u205E\u3000-\u3002]+', '', 'g'
    ), ' ', ''), ''),
    nullif(btrim(pgsim.folded(artist)), '')
);

COMMENT ON FUNCTION pgsim.artist_key(uuid[], text) IS
'Internal: what counts as one artist: the first MBID, or without MBIDs the credit up to "feat." or a semicolon, without case, accents, '
'blanks and punctuation; NULL without either. "&" and "and" stay: they may join the members of one name.';
