CREATE TYPE pgsim.batch_recording AS (
    seed uuid,
    rank integer,
    mbid uuid,
    artist text,
    title text,
    album text,
    year integer,
    genre text,
    distance real,
    similarity real,
    problem text
);

COMMENT ON TYPE pgsim.batch_recording IS
'One row of similar_recordings_batch(): the seed and a row of its answer, or the seed and the problem with it.';
