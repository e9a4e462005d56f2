-- A type of its own, because plpgsql takes no argument and no output column of one name (genre).
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
'One row of an answer: rank from 1, the recording, its distance to the seed, and its similarity from 0 to 1.';
