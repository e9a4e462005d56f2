-- A type, because a plpgsql function cannot have an argument and an output column of the same name (artist).
CREATE TYPE pgsim.found_recording AS (
    rank integer,
    mbid uuid,
    artist text,
    title text,
    album text,
    year integer,
    score real,
    source_id text,
    url text
);

COMMENT ON TYPE pgsim.found_recording IS
'One row of find_recordings(): the rank from 1, the recording, a score from 0 to 1 '
'that says how well the words match, its own id and its URL.';
