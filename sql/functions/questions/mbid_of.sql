CREATE OR REPLACE FUNCTION pgsim.mbid_of(id text) RETURNS uuid
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    found uuid[];
BEGIN
    IF length(id) = 36 AND pg_input_is_valid(id, 'uuid') THEN
        RETURN id::uuid;
    END IF;
    found := ARRAY(SELECT r.mbid FROM recording AS r WHERE r.source_id = mbid_of.id ORDER BY r.mbid LIMIT 6);
    IF cardinality(found) = 1 THEN
        RETURN found[1];
    ELSIF cardinality(found) = 0 AND pg_input_is_valid(id, 'uuid') THEN
        RETURN id::uuid; -- in another form, such as 32 digits, which own ids may have, too
    ELSIF cardinality(found) > 1 THEN
        RAISE EXCEPTION '''%'' is the own id of several recordings', id
            USING ERRCODE = 'invalid_parameter_value', HINT = format(
                'ask by the MBID of one of them: %s', array_to_string(found[:5], ', ') || CASE WHEN cardinality(found) > 5 THEN ', …' ELSE '' END);
    END IF;
    RAISE EXCEPTION '%', coalesce('''' || id || ''' is neither an MBID nor the own id of a recording', 'the id is NULL')
        USING ERRCODE = 'no_data_found',
            HINT = 'an MBID has 36 characters, as in a MusicBrainz URL; own ids are in pgsim.recording.source_id; '
            'find_recordings() finds a recording by words of its artist and title';
END
$$;

COMMENT ON FUNCTION pgsim.mbid_of(text) IS
'The MBID for a text: an MBID as text, or the own id of a recording (recording.source_id). It lets every question start
from an own id, or from an MBID that a driver sends as text: similar_recordings(mbid_of(''track 17'')).

- id: an MBID, which is returned unchanged, or an own id.

Raises an error if no recording has that own id, or if several have it.';
