-- Inlined into matches(), which a scan calls for every row.
CREATE OR REPLACE FUNCTION pgsim.artist_key(artist_mbids uuid[], artist text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    CASE WHEN cardinality(artist_mbids) > 1 THEN nullif(pgsim.joint_artist(artist_mbids, artist), '') ELSE artist_mbids[1]::text END,
    pgsim.artist_name(artist)
);

COMMENT ON FUNCTION pgsim.artist_key(uuid[], text) IS
'Internal: what counts as one artist: the MBID, or joint_artist() of several, or without MBIDs artist_name(); NULL without either. '
'Credits that differ only by guests are one artist; "A & B" is another than A.';
