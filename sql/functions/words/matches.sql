-- Inlined where the filter is a constant: the planner then sees each condition by itself.
CREATE OR REPLACE FUNCTION pgsim.matches(r pgsim.recording, f pgsim.recording_filter) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (f.genre IS NULL OR r.genre = f.genre OR (f.label IS NOT NULL AND r.genres @> ARRAY[f.label]))
AND (f.label IS NULL OR f.genre IS NOT NULL OR r.genres @> ARRAY[f.label])
AND (f.year_from IS NULL OR r.year >= f.year_from)
AND (f.year_to IS NULL OR r.year <= f.year_to)
AND (f.length_from IS NULL OR r.length >= f.length_from)
AND (f.length_to IS NULL OR r.length <= f.length_to)
AND (f.exclude IS NULL OR r.mbid <> ALL(f.exclude))
AND (f.exclude_artists IS NULL OR NOT coalesce(r.artist_mbids && f.exclude_artists, false))
AND (f.used_artists IS NULL OR coalesce(pgsim.artist_key(r.artist_mbids, r.artist) <> ALL(f.used_artists), true))
AND (f.used_albums IS NULL OR coalesce(pgsim.album_key(r.album, r.artist_mbids, r.artist) <> ALL(f.used_albums), true))
AND (f.present IS NULL OR NOT r.missing && f.present);

COMMENT ON FUNCTION pgsim.matches(pgsim.recording, pgsim.recording_filter) IS
'Internal: whether a recording satisfies the conditions of a question; the only definition of each filter.';
