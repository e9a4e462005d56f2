-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.group_keys(r pgsim.recording, by_album boolean) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN by_album THEN ARRAY[pgsim.album_key(r.album, r.artist_mbids, r.artist)]
    ELSE pgsim.artist_keys(r.artist_mbids, r.artist)
END;

COMMENT ON FUNCTION pgsim.group_keys(pgsim.recording, boolean) IS
'Internal: the albums or the artists that a recording belongs to: its album_key(), or its artist_keys(). NULL among them is none.';
