-- Inlined wherever its filter is a constant, so that each condition reaches the planner by itself.
CREATE OR REPLACE FUNCTION pgsim.matches(r pgsim.recording, f pgsim.recording_filter) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (f.genre IS NULL OR r.genre = f.genre)
AND (f.label IS NULL OR r.genres @> ARRAY[f.label])
AND (f.year_from IS NULL OR r.year >= f.year_from)
AND (f.year_to IS NULL OR r.year <= f.year_to);

COMMENT ON FUNCTION pgsim.matches(pgsim.recording, pgsim.recording_filter) IS
'Whether a recording satisfies the conditions of a question: the one definition of every filter.';
