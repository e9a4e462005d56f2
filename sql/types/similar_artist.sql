CREATE TYPE pgsim.similar_artist AS (
    rank integer,
    artist text,
    artist_mbid uuid,
    similarity real,
    share real,
    recordings integer,
    own_mbid uuid,
    similar_mbid uuid,
    distance real
);

COMMENT ON TYPE pgsim.similar_artist IS
'One row of similar_artists(): the rank from 1; the artist by its most frequent credit, and by MBID where it has one; its similarity '
'from 0 to 1; its share of the recordings that sound like the artist asked about, weighted by similarity; how many of its recordings '
'match; and the nearest pair of recordings, one of each artist, with their distance.';
