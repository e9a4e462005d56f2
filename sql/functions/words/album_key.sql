-- Inlined into matches(), which a scan calls for every row.
CREATE OR REPLACE FUNCTION pgsim.album_key(album text, artist_mbids uuid[], artist text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN nullif(btrim(pgsim.folded(album)), '') || E'\n' || coalesce(pgsim.artist_key(artist_mbids, artist), '');

COMMENT ON FUNCTION pgsim.album_key(text, uuid[], text) IS
'Internal: what counts as one album: its title without case and accents, and its artist as of artist_key(), since many artists have an '
'album of that title; NULL without a title.';
