-- Inlined into the functions that call it.
CREATE OR REPLACE FUNCTION pgsim.artist_keys(artist_mbids uuid[], artist text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN artist_mbids[1] IS NOT NULL THEN artist_mbids::text[] ELSE ARRAY[pgsim.artist_name(artist)] END;

COMMENT ON FUNCTION pgsim.artist_keys(uuid[], text) IS
'Internal: each artist of a recording: the MBIDs, or without MBIDs artist_name().';
