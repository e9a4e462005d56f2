CREATE TYPE pgsim.matched_recording AS (
    place integer,
    mbid uuid,
    matched_by text,
    artist text,
    title text,
    album text,
    has_vector boolean
);

COMMENT ON TYPE pgsim.matched_recording IS 'A row of match_recordings().';
