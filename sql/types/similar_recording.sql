-- A type, because a plpgsql function cannot have an argument and an output column of the same name (genre).
CREATE TYPE pgsim.similar_recording AS (
    rank integer,
    mbid uuid,
    artist text,
    title text,
    album text,
    year integer,
    genre text,
    distance real,
    similarity real
);

COMMENT ON TYPE pgsim.similar_recording IS
'One row of an answer: the rank from 1, the recording, its distance from the seed, and its similarity from 0 to 1.';
