CREATE TABLE pgsim.recording (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mbid uuid NOT NULL,
    title text,
    artist text,
    artist_mbids uuid[],
    album text,
    year smallint,
    decade smallint GENERATED ALWAYS AS (year - year % 10) STORED,
    length real,
    genre text,
    genre_probability real,
    genres text[] NOT NULL DEFAULT '{}',
    source_id text,
    url text,
    extra jsonb NOT NULL DEFAULT '{}',
    submissions integer NOT NULL DEFAULT 0,
    missing text[] NOT NULL DEFAULT '{}',
    vector vector(:dimensions),
    named text[],
    popularity real,
    CONSTRAINT mbid_is_unique UNIQUE (mbid),
    CONSTRAINT year_is_from_1_to_9999 CHECK (year BETWEEN 1 AND 9999),
    CONSTRAINT length_is_not_negative CHECK (length >= 0),
    CONSTRAINT genre_probability_is_from_0_to_1 CHECK (genre_probability BETWEEN 0 AND 1),
    -- NaN is greater than any number
    CONSTRAINT popularity_is_not_negative CHECK (popularity BETWEEN 0 AND 'Infinity'),
    -- the square of a distance has to be finite in single precision too
    CONSTRAINT vector_is_shorter_than_1e12 CHECK (vector_norm(vector) < 1e12)
);

-- Room for HOT updates: a changed album must not touch the HNSW index.
ALTER TABLE pgsim.recording SET (fillfactor = 90);

COMMENT ON TABLE pgsim.recording IS
'One recording: its metadata and its fused vector. Rows may be written by pgsim load or by plain SQL.';
COMMENT ON COLUMN pgsim.recording.id IS 'The number of the recording in this database, which the matrix refers to.';
COMMENT ON COLUMN pgsim.recording.mbid IS 'The MusicBrainz id, or a UUIDv5 made from source and source_id.';
COMMENT ON COLUMN pgsim.recording.title IS 'The title that most submissions have.';
COMMENT ON COLUMN pgsim.recording.artist IS 'The artist credit as written.';
COMMENT ON COLUMN pgsim.recording.artist_mbids IS 'The MusicBrainz ids of the artists, where known.';
COMMENT ON COLUMN pgsim.recording.album IS 'The album or release.';
COMMENT ON COLUMN pgsim.recording.year IS 'The year of release.';
COMMENT ON COLUMN pgsim.recording.decade IS 'The decade of release, 1990 for 1990 to 1999; computed from year.';
COMMENT ON COLUMN pgsim.recording.length IS 'The length in seconds.';
COMMENT ON COLUMN pgsim.recording.genre IS 'The label in the default genre scheme of the database (collection.genre_scheme).';
COMMENT ON COLUMN pgsim.recording.genre_probability IS 'The probability that the classifier gives this genre, from 0 to 1.';
COMMENT ON COLUMN pgsim.recording.genres IS 'The labels in all schemes, as scheme:label.';
COMMENT ON COLUMN pgsim.recording.source_id IS 'The id in the source of the recording, where that is not an MBID.';
COMMENT ON COLUMN pgsim.recording.url IS 'Where the recording can be found.';
COMMENT ON COLUMN pgsim.recording.extra IS 'What else the source says, by name.';
COMMENT ON COLUMN pgsim.recording.submissions IS 'How many submissions the row was made from; 0 for a row written by plain SQL.';
COMMENT ON COLUMN pgsim.recording.missing IS
'The feature sets that no submission has. The vector has those of the nearest complete recording there (see donor), or 0.';
COMMENT ON COLUMN pgsim.recording.vector IS
'The fused features: the Euclidean distance of two vectors is the distance of the recordings.';
COMMENT ON COLUMN pgsim.recording.named IS
'The columns that pgsim names has filled, since no submission has them; NULL where there is none. A submission that has one replaces it.';
COMMENT ON COLUMN pgsim.recording.popularity IS
'How often the recording is listened to, in any unit: plays, listeners, or a score; NULL where unknown. Only its rank counts.';
