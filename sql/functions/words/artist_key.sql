CREATE OR REPLACE FUNCTION pgsim.artist_key(artist_mbids uuid[], artist text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(artist_mbids[1]::text, nullif(btrim(lower(normalize(artist, nfkc))), ''));

COMMENT ON FUNCTION pgsim.artist_key(uuid[], text) IS
'Whom max_per_artist counts as one artist: the first MBID, or the credit as written where there is none; NULL where nobody is known.';
