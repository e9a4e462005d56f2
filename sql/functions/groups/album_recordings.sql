CREATE OR REPLACE FUNCTION pgsim.album_recordings(album text, artist text) RETURNS TABLE (keys text[], artists text[], ids integer[])
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    called CONSTANT text := concat(
        'album ', coalesce('''' || album_recordings.album || '''', 'NULL'), ' of ''' || album_recordings.artist || '''');
    by_artist CONSTANT text := CASE
        WHEN length(album_recordings.artist) = 36 AND pg_input_is_valid(album_recordings.artist, 'uuid') THEN lower(album_recordings.artist)
        ELSE artist_name(album_recordings.artist)
    END;
    credits text[];
BEGIN
    SELECT
        coalesce(array_agg(DISTINCT album_key(r.album, r.artist_mbids, r.artist)), '{}'),
        array_agg(DISTINCT coalesce(artist_key(r.artist_mbids, r.artist), '')), array_agg(DISTINCT coalesce(r.artist, 'no artist')),
        coalesce(array_agg(r.id ORDER BY r.mbid) FILTER (WHERE r.vector IS NOT NULL), '{}')
    INTO keys, artists, credits, ids
    FROM recording AS r
    WHERE btrim(folded(r.album)) = btrim(folded(album_recordings.album))
        AND (by_artist IS NULL OR by_artist = ANY(artist_keys(r.artist_mbids, r.artist)) OR by_artist = artist_name(r.artist));
    IF keys = '{}' THEN
        RAISE EXCEPTION 'unknown %', called
            USING ERRCODE = 'no_data_found', HINT = 'no recording has it in pgsim.recording.album';
    ELSIF cardinality(artists) > 1 AND by_artist IS NULL THEN
        RAISE EXCEPTION 'several artists have an %', called
            USING ERRCODE = 'invalid_parameter_value', HINT = format(
                'name the artist: %s', array_to_string(credits[:5], ', ') || CASE WHEN cardinality(credits) > 5 THEN ', …' ELSE '' END);
    ELSIF ids = '{}' THEN
        RAISE EXCEPTION 'no recording of the % has a vector', called
            USING ERRCODE = 'no_data_found', HINT = 'their submissions hold none of the fitted feature sets; see pgsim status';
    END IF;
    RETURN NEXT;
END
$$;

COMMENT ON FUNCTION pgsim.album_recordings(text, text) IS
'Internal: an album by its title, and by the name or MBID of its artist, which may be NULL where one artist has it: its keys as of '
'album_key(), the artist_key() of its artists, and its recordings (recording.id) that have a vector, by MBID. An error for an unknown '
'album, for one that several artists have, and for one without vectors.';
