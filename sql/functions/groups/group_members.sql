-- Without these settings, PostgreSQL might compute the name of every recording's artist.
CREATE OR REPLACE FUNCTION pgsim.group_members(keys text[], by_album boolean, f pgsim.recording_filter)
RETURNS TABLE (key text, id integer, mbid uuid)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    has_filter CONSTANT boolean := NOT f IS NULL;
    mbids CONSTANT uuid[] := ARRAY(SELECT u.key::uuid FROM unnest(keys) AS u (key) WHERE NOT by_album AND u.key ~ '^[0-9a-f]{8}-');
BEGIN
    IF by_album THEN
        RETURN QUERY
        SELECT k.key, r.id, r.mbid
        FROM (SELECT DISTINCT regexp_replace(u.key, '\n[^\n]*$', '') AS title FROM unnest(keys) AS u (key)) AS t
        INNER JOIN recording AS r ON btrim(folded(r.album)) = t.title
        INNER JOIN unnest(keys) AS k (key) ON k.key = album_key(r.album, r.artist_mbids, r.artist)
        WHERE r.vector IS NOT NULL AND (NOT has_filter OR matches(r, f));
    ELSE
        RETURN QUERY
        SELECT m.mbid::text, r.id, r.mbid
        FROM unnest(mbids) AS m (mbid)
        INNER JOIN recording AS r ON r.artist_mbids && ARRAY[m.mbid]
        WHERE r.vector IS NOT NULL AND (NOT has_filter OR matches(r, f))
        UNION ALL
        SELECT k.key, r.id, r.mbid
        FROM unnest(keys) AS k (key)
        INNER JOIN recording AS r ON artist_name(r.artist) = k.key
        WHERE r.artist_mbids[1] IS NULL AND r.vector IS NOT NULL AND (NOT has_filter OR matches(r, f));
    END IF;
END
$$;

COMMENT ON FUNCTION pgsim.group_members(text[], boolean, pgsim.recording_filter) IS
'Internal: the recordings (recording.id, mbid) with a vector of artists or albums, by the keys of group_keys(); only those that match.';
