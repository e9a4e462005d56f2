CREATE OR REPLACE FUNCTION pgsim.artist_recordings(artist text) RETURNS TABLE (keys text[], ids integer[])
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    name CONSTANT text := artist_name(artist_recordings.artist);
    others text[];
BEGIN
    IF length(artist_recordings.artist) = 36 AND pg_input_is_valid(artist_recordings.artist, 'uuid') THEN
        keys := ARRAY[lower(artist_recordings.artist)];
        ids := ARRAY(SELECT r.id FROM recording AS r WHERE r.artist_mbids && keys::uuid[] ORDER BY r.mbid);
    ELSE
        -- The artists of that name: by MBID, and where there is no MBID by the name.
        SELECT coalesce(array_agg(DISTINCT c.key), '{}') INTO keys
        FROM (SELECT artist_key(r.artist_mbids, r.artist) AS key FROM recording AS r WHERE artist_name(r.artist) = name) AS c;
        others := array_remove(keys, name);
        IF cardinality(others) > 1 OR others[1] LIKE '%+%' THEN
            RAISE EXCEPTION '''%'' is the name of several artists', artist_recordings.artist
                USING ERRCODE = 'invalid_parameter_value', HINT = format(
                    'ask by the MBID of one of them: %s', array_to_string(string_to_array(array_to_string(others, '+'), '+'), ', '));
        END IF;
        ids := ARRAY(
            SELECT r.id FROM recording AS r WHERE r.artist_mbids && others::uuid[]
            UNION ALL
            SELECT r.id FROM recording AS r WHERE artist_name(r.artist) = name AND r.artist_mbids[1] IS NULL);
    END IF;
    IF ids = '{}' THEN
        RAISE EXCEPTION 'unknown artist %', coalesce('''' || artist_recordings.artist || '''', 'NULL')
            USING ERRCODE = 'no_data_found',
                HINT = 'no recording is credited to it; find_recordings() finds recordings by words of their artist';
    END IF;
    ids := ARRAY(SELECT r.id FROM recording AS r WHERE r.id = ANY(ids) AND r.vector IS NOT NULL ORDER BY r.mbid);
    IF ids = '{}' THEN
        RAISE EXCEPTION 'no recording of the artist ''%'' has a vector', artist_recordings.artist
            USING ERRCODE = 'no_data_found', HINT = 'their submissions hold none of the fitted feature sets; see pgsim status';
    END IF;
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION pgsim.artist_recordings(text) IS
'Internal: an artist by MBID or by name: its keys as of artist_keys(), and its recordings (recording.id) that have a vector, by MBID. An '
'error for an unknown artist, for a name of several, and for one without vectors.';
