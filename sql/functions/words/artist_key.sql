CREATE OR REPLACE FUNCTION pgsim.artist_key(artist_mbids uuid[], artist text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(artist_mbids[1]::text, nullif(btrim(lower(normalize(artist, nfkc))), ''));

COMMENT ON FUNCTION pgsim.artist_key(uuid[], text) IS
'Internal: what max_per_artist counts as one artist: the first MBID, or without MBIDs the artist credit in lower case; NULL without '
'either.';
