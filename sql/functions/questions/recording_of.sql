CREATE OR REPLACE FUNCTION pgsim.recording_of(seed uuid) RETURNS integer
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    result integer;
BEGIN
    SELECT r.id INTO result FROM recording AS r WHERE r.mbid = seed;
    result := coalesce(result, redirected_recording(seed));
    IF result IS NULL THEN
        RAISE EXCEPTION 'unknown recording %', coalesce(seed::text, 'NULL')
            USING ERRCODE = 'no_data_found', HINT = coalesce(
                (SELECT format('it redirects to %s, and pgsim.recording has no row with that mbid either', d.target)
                FROM redirect AS d WHERE d.mbid = seed),
                'pgsim.recording has no row with this mbid');
    END IF;
    RETURN result;
END
$$;

COMMENT ON FUNCTION pgsim.recording_of(uuid) IS
'The recording (recording.id) with an MBID, or else the one that the MBID redirects to.

- seed: the MBID.

Raises an error where there is none.';
