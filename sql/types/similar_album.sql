CREATE TYPE pgsim.similar_album AS (
    rank integer,
    album text,
    artist text,
    year integer,
    similarity real,
    share real,
    recordings integer,
    own_mbid uuid,
    similar_mbid uuid,
    distance real
);

COMMENT ON TYPE pgsim.similar_album IS
'One row of similar_albums(): the rank from 1; the album with its most frequent artist and year; its similarity from 0 to 1; its share '
'of the recordings that sound like the album asked about, weighted by similarity; how many of its recordings match; and the nearest '
'pair of recordings, one of each album, with their distance.';
