CREATE OR REPLACE FUNCTION pgsim.known_recording(seed uuid) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pgsim, pg_temp
RETURN coalesce((SELECT r.id FROM recording AS r WHERE r.mbid = seed), redirected_recording(seed));

COMMENT ON FUNCTION pgsim.known_recording(uuid) IS
'Internal: the recording (recording.id) with an MBID, or else the one that the MBID redirects to; NULL where there is none.';
