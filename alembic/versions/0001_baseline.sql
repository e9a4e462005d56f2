CREATE TABLE pgsim.upgrade_step (
    revision text PRIMARY KEY,
    noted_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE pgsim.upgrade_step IS
'One revision whose steps outside the upgrade''s transaction are still to run: pgsim init --upgrade runs them, and deletes the row.';
COMMENT ON COLUMN pgsim.upgrade_step.revision IS 'The revision (alembic_version.version_num).';
COMMENT ON COLUMN pgsim.upgrade_step.noted_at IS 'When the tables became those of that revision.';

CREATE TABLE pgsim.collection (
    singleton boolean PRIMARY KEY DEFAULT true,
    profile text NOT NULL,
    extractor text NOT NULL,
    genre_scheme text NOT NULL,
    list_length integer NOT NULL DEFAULT 100,
    fitted_at timestamptz,
    fitted_on integer,
    columns jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT there_is_one_collection CHECK (singleton),
    CONSTRAINT list_length_is_from_25_to_1000 CHECK (list_length BETWEEN 25 AND 1000)
);

COMMENT ON TABLE pgsim.collection IS
'What this database holds, in one row: the profile of its vectors and the extractor of its features.';
COMMENT ON COLUMN pgsim.collection.singleton IS 'Always true: a second row is refused.';
COMMENT ON COLUMN pgsim.collection.profile IS 'The name of the profile that pgsim init was given.';
COMMENT ON COLUMN pgsim.collection.extractor IS 'The program that measured the features; features of two programs are not comparable.';
COMMENT ON COLUMN pgsim.collection.genre_scheme IS
'The scheme of the labels in recording.genre. A question writes a label of another scheme as scheme:label.';
COMMENT ON COLUMN pgsim.collection.list_length IS
'How many neighbours the matrix keeps for each recording (k); at least as many as a reach is the mean of.';
COMMENT ON COLUMN pgsim.collection.fitted_at IS
'When the centres and scales of the feature sets were last fitted; NULL before the first load.';
COMMENT ON COLUMN pgsim.collection.fitted_on IS 'How many recordings the centres and scales were fitted on.';
COMMENT ON COLUMN pgsim.collection.columns IS
'Which columns of a loaded table hold the id, title, artist and so on: the [columns] of the profile.';

CREATE TABLE pgsim.feature_set (
    name text PRIMARY KEY,
    position integer NOT NULL,
    length integer NOT NULL,
    paths text[] NOT NULL,
    form text NOT NULL,
    transform text NOT NULL,
    aggregate text NOT NULL,
    weight double precision NOT NULL,
    center double precision[],
    scale double precision[],
    labels text[],
    CONSTRAINT slices_start_where_no_other_does UNIQUE (position),
    CONSTRAINT position_counts_from_1 CHECK (position >= 1),
    CONSTRAINT length_is_positive CHECK (length >= 1),
    CONSTRAINT transform_is_known CHECK (transform IN ('zscore', 'isotropic', 'hellinger', 'unit', 'log')),
    CONSTRAINT aggregate_is_known CHECK (aggregate IN ('median', 'mean')),
    CONSTRAINT weight_is_at_least_a_thousandth CHECK (weight >= 0.001),
    CONSTRAINT center_has_a_value_for_each_dimension CHECK (cardinality(center) = length),
    CONSTRAINT scale_has_a_value_for_each_dimension CHECK (cardinality(scale) = length),
    CONSTRAINT labels_name_each_dimension CHECK (cardinality(labels) = length),
    CONSTRAINT center_and_scale_are_fitted_together CHECK ((center IS NULL) = (scale IS NULL))
);

COMMENT ON TABLE pgsim.feature_set IS
'One named slice of recording.vector, and how its numbers are made: '
'vector = (aggregate(transform(value)) - center) / scale * sqrt(weight).';
COMMENT ON COLUMN pgsim.feature_set.name IS 'The name of the set, as in the profile.';
COMMENT ON COLUMN pgsim.feature_set.position IS 'The first dimension of the set in the vector, counted from 1.';
COMMENT ON COLUMN pgsim.feature_set.length IS 'How many dimensions the set has.';
COMMENT ON COLUMN pgsim.feature_set.paths IS 'Where a document has the values.';
COMMENT ON COLUMN pgsim.feature_set.form IS 'How values become numbers (numbers, probabilities, circle_of_fifths, octaves).';
COMMENT ON COLUMN pgsim.feature_set.transform IS 'How the numbers of one submission are transformed and scaled.';
COMMENT ON COLUMN pgsim.feature_set.aggregate IS 'How the values of a recording''s submissions become one: median or mean.';
COMMENT ON COLUMN pgsim.feature_set.weight IS 'The share of the set in the expected squared distance; the weights of all sets sum to 1.';
COMMENT ON COLUMN pgsim.feature_set.center IS 'The mean of each dimension over the recordings; NULL until the set is fitted.';
COMMENT ON COLUMN pgsim.feature_set.scale IS
'The divisor of each dimension. It makes the expected squared distance of two recordings in this set 1; '
'it is 0 for a dimension that never varies, which is 0 in each vector.';
COMMENT ON COLUMN pgsim.feature_set.labels IS 'What an explanation calls each dimension; NULL where the dimensions have no names.';

CREATE TABLE pgsim.submission (
    mbid uuid NOT NULL,
    source text NOT NULL,
    number integer NOT NULL,
    features real[] NOT NULL,
    documents jsonb NOT NULL,
    CONSTRAINT a_submission_is_its_mbid_source_and_number PRIMARY KEY (mbid, source, number),
    CONSTRAINT number_is_not_negative CHECK (number >= 0)
);

COMMENT ON TABLE pgsim.submission IS
'One submission with its raw features: transforms, weights and statistics can change without reading the files again.';
COMMENT ON COLUMN pgsim.submission.mbid IS 'The MBID of the recording.';
COMMENT ON COLUMN pgsim.submission.source IS 'The source of the submission: acousticbrainz, ...';
COMMENT ON COLUMN pgsim.submission.number IS 'The number of the submission among those of its MBID, from 0.';
COMMENT ON COLUMN pgsim.submission.features IS
'The values of all feature sets side by side, before any transform; NaN where a set is missing.';
COMMENT ON COLUMN pgsim.submission.documents IS
'The metadata of each document that was merged into the submission, by kind: {"lowlevel": {"title": ...}}.';

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
    CONSTRAINT mbid_is_unique UNIQUE (mbid),
    CONSTRAINT year_is_from_1_to_9999 CHECK (year BETWEEN 1 AND 9999),
    CONSTRAINT length_is_not_negative CHECK (length >= 0),
    CONSTRAINT genre_probability_is_from_0_to_1 CHECK (genre_probability BETWEEN 0 AND 1),
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
COMMENT ON COLUMN pgsim.recording.missing IS 'The feature sets that no submission has; the vector is 0 there.';
COMMENT ON COLUMN pgsim.recording.vector IS
'The fused features: the Euclidean distance of two vectors is the distance of the recordings.';

CREATE TABLE pgsim.sampled_pair (
    number integer PRIMARY KEY,
    difference vector(:dimensions) NOT NULL
);

COMMENT ON TABLE pgsim.sampled_pair IS
'Random pairs of recordings: by a metric, a similarity is the share of these pairs that are farther apart.';
COMMENT ON COLUMN pgsim.sampled_pair.number IS 'The number of the pair.';
COMMENT ON COLUMN pgsim.sampled_pair.difference IS 'The difference of the two vectors.';

CREATE TABLE pgsim.redirect (
    mbid uuid PRIMARY KEY,
    target uuid NOT NULL,
    CONSTRAINT target_is_another_mbid CHECK (target <> mbid)
);

COMMENT ON TABLE pgsim.redirect IS
'One MBID that MusicBrainz has merged into another. Questions follow it where no recording has the old MBID.';
COMMENT ON COLUMN pgsim.redirect.mbid IS 'The old MBID.';
COMMENT ON COLUMN pgsim.redirect.target IS 'The MBID that replaces it, which may itself be redirected.';

CREATE TABLE pgsim.similarity_a (
    id integer PRIMARY KEY,
    neighbours integer[] NOT NULL,
    distances real[] NOT NULL,
    reach real,
    CONSTRAINT each_neighbour_has_a_distance CHECK (cardinality(neighbours) = cardinality(distances))
);

-- No foreign keys: questions leave deleted recordings out by a join. Free space keeps list updates HOT.
ALTER TABLE pgsim.similarity_a SET (fillfactor = 87);

COMMENT ON TABLE pgsim.similarity_a IS
'One of the two tables behind the view pgsim.similarity, which shows one of them.';
COMMENT ON COLUMN pgsim.similarity_a.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.similarity_a.neighbours IS 'The nearest recordings (recording.id), nearest first; ties are ordered by mbid.';
COMMENT ON COLUMN pgsim.similarity_a.distances IS 'The distances of the neighbours, in the same order.';
COMMENT ON COLUMN pgsim.similarity_a.reach IS 'The mean of the nearest distances, of as many as pgsim.reach_length() says.';

CREATE TABLE pgsim.similarity_b (
    id integer PRIMARY KEY,
    neighbours integer[] NOT NULL,
    distances real[] NOT NULL,
    reach real,
    CONSTRAINT each_neighbour_has_a_distance CHECK (cardinality(neighbours) = cardinality(distances))
);

-- No foreign keys: questions leave deleted recordings out by a join. Free space keeps list updates HOT.
ALTER TABLE pgsim.similarity_b SET (fillfactor = 87);

COMMENT ON TABLE pgsim.similarity_b IS
'One of the two tables behind the view pgsim.similarity, which shows one of them.';
COMMENT ON COLUMN pgsim.similarity_b.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.similarity_b.neighbours IS 'The nearest recordings (recording.id), nearest first; ties are ordered by mbid.';
COMMENT ON COLUMN pgsim.similarity_b.distances IS 'The distances of the neighbours, in the same order.';
COMMENT ON COLUMN pgsim.similarity_b.reach IS 'The mean of the nearest distances, of as many as pgsim.reach_length() says.';

CREATE TABLE pgsim.reach (
    block integer PRIMARY KEY,
    reaches real[] NOT NULL,
    CONSTRAINT a_block_has_256_recordings CHECK (cardinality(reaches) = 256)
);

-- PLAIN: with any other storage, reading one reach would copy its whole block.
ALTER TABLE pgsim.reach ALTER COLUMN reaches SET STORAGE PLAIN;
-- Free space keeps updates HOT.
ALTER TABLE pgsim.reach SET (fillfactor = 60);

COMMENT ON TABLE pgsim.reach IS
'The reaches of pgsim.similarity, 256 in a row: an answer by similarity looks up many, in half the time that the lists would take.';
COMMENT ON COLUMN pgsim.reach.block IS 'recording.id >> 8, for recordings whose reaches are in the row.';
COMMENT ON COLUMN pgsim.reach.reaches IS 'The reach of each recording of the block, at (recording.id & 255) + 1; NULL without a list.';

-- Append-only, without foreign key or upsert: writers never wait for one another here.
CREATE TABLE pgsim.stale (
    event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id integer NOT NULL,
    old_vector vector,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id()
);

COMMENT ON TABLE pgsim.stale IS
'One change of a recording''s vector that the matrix does not contain yet. Triggers write it, a refresh deletes it.';
COMMENT ON COLUMN pgsim.stale.event IS 'The number of the change.';
COMMENT ON COLUMN pgsim.stale.id IS 'The recording (recording.id) that was inserted, changed or deleted.';
COMMENT ON COLUMN pgsim.stale.old_vector IS 'The vector before the change; NULL for a new one.';
COMMENT ON COLUMN pgsim.stale.xact IS
'The transaction that made the change. A rebuild contains the changes that its snapshot shows, and no others.';

CREATE TABLE pgsim.rebuild (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    target text NOT NULL,
    list_length integer NOT NULL,
    engine text NOT NULL,
    recall_wanted double precision NOT NULL,
    recall_found double precision,
    description text,
    recordings integer NOT NULL,
    snapshot pg_snapshot NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT target_is_one_of_two_tables CHECK (target IN ('similarity_a', 'similarity_b')),
    CONSTRAINT list_length_is_from_25_to_1000 CHECK (list_length BETWEEN 25 AND 1000)
);

COMMENT ON TABLE pgsim.rebuild IS 'One rebuild of the whole matrix; at most one is unfinished.';
COMMENT ON COLUMN pgsim.rebuild.id IS 'The number of the rebuild.';
COMMENT ON COLUMN pgsim.rebuild.target IS 'The table that the rebuild fills; the view shows the other one meanwhile.';
COMMENT ON COLUMN pgsim.rebuild.list_length IS 'How many neighbours a list has (k).';
COMMENT ON COLUMN pgsim.rebuild.engine IS 'How neighbours are searched: cells, exact, faiss or postgres.';
COMMENT ON COLUMN pgsim.rebuild.recall_wanted IS 'The least recall@k that was asked for.';
COMMENT ON COLUMN pgsim.rebuild.recall_found IS 'The recall@k that was measured on a sample, against an exact scan.';
COMMENT ON COLUMN pgsim.rebuild.description IS 'The index that was searched, in words.';
COMMENT ON COLUMN pgsim.rebuild.recordings IS 'How many recordings had a vector when the rebuild began.';
COMMENT ON COLUMN pgsim.rebuild.snapshot IS 'What was committed when the rebuild began; later changes are stale when it ends.';
COMMENT ON COLUMN pgsim.rebuild.started_at IS 'When it began.';
COMMENT ON COLUMN pgsim.rebuild.finished_at IS 'When the view switched to the new table; NULL until then.';

CREATE TABLE pgsim.rebuild_part (
    rebuild integer NOT NULL,
    first_id integer NOT NULL,
    last_id integer NOT NULL,
    done_at timestamptz,
    CONSTRAINT a_part_is_its_rebuild_and_first_id PRIMARY KEY (rebuild, first_id)
);

COMMENT ON TABLE pgsim.rebuild_part IS
'One part of a rebuild. A worker locks the row while it works on the part, so that the part of a dead worker is free again.';
COMMENT ON COLUMN pgsim.rebuild_part.rebuild IS 'The rebuild (rebuild.id).';
COMMENT ON COLUMN pgsim.rebuild_part.first_id IS 'The first recording of the part (recording.id).';
COMMENT ON COLUMN pgsim.rebuild_part.last_id IS 'The last recording of the part (recording.id).';
COMMENT ON COLUMN pgsim.rebuild_part.done_at IS 'When the lists of the part were committed; NULL until then.';

CREATE TABLE pgsim.rebuild_event (
    id integer NOT NULL,
    old_vector vector
);

COMMENT ON TABLE pgsim.rebuild_event IS
'Changes that refresh applied to the shown matrix during a rebuild; they are stale again when the view switches.';
COMMENT ON COLUMN pgsim.rebuild_event.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.rebuild_event.old_vector IS 'The vector before the change.';

CREATE TABLE pgsim.archive (
    path text PRIMARY KEY,
    size bigint NOT NULL,
    modified bigint NOT NULL,
    documents integer NOT NULL,
    rejected integer NOT NULL,
    is_finished boolean NOT NULL,
    CONSTRAINT rejected_are_among_the_documents CHECK (rejected BETWEEN 0 AND documents)
);

COMMENT ON TABLE pgsim.archive IS
'How much of a file of many documents is loaded; written in the same transaction, so that a load continues where it stopped.';
COMMENT ON COLUMN pgsim.archive.path IS 'The path of the file.';
COMMENT ON COLUMN pgsim.archive.size IS 'Its size in bytes. A file whose size or time has changed is read from its beginning.';
COMMENT ON COLUMN pgsim.archive.modified IS 'When the file was last modified, in nanoseconds since 1970.';
COMMENT ON COLUMN pgsim.archive.documents IS 'How many documents were read, from the beginning of the file.';
COMMENT ON COLUMN pgsim.archive.rejected IS 'How many of these were rejected.';
COMMENT ON COLUMN pgsim.archive.is_finished IS 'Whether these are all documents of the file.';

CREATE TABLE pgsim.reject (
    file text NOT NULL,
    member text NOT NULL,
    reason text NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT a_document_is_rejected_once PRIMARY KEY (file, member)
);

COMMENT ON TABLE pgsim.reject IS 'One document that could not be loaded, and why.';
COMMENT ON COLUMN pgsim.reject.file IS 'The file or archive with the document.';
COMMENT ON COLUMN pgsim.reject.member IS 'Its name in the archive, or its line in the file; the name of the file for the whole file.';
COMMENT ON COLUMN pgsim.reject.reason IS 'Why the document could not be loaded.';
COMMENT ON COLUMN pgsim.reject.rejected_at IS 'When pgsim load last tried.';

CREATE TABLE pgsim.run (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    report jsonb NOT NULL DEFAULT '{}'
);

COMMENT ON TABLE pgsim.run IS 'One run of a command that changes data: load, fuse, index, refresh, rebuild.';
COMMENT ON COLUMN pgsim.run.id IS 'The number of the run.';
COMMENT ON COLUMN pgsim.run.command IS 'The command.';
COMMENT ON COLUMN pgsim.run.started_at IS 'When it began.';
COMMENT ON COLUMN pgsim.run.finished_at IS 'When it ended; NULL while it runs, and after it was killed.';
COMMENT ON COLUMN pgsim.run.report IS 'What the command counted, by name.';

-- Usage: similar_recordings(..., genre => 'roc', decade => 1990): counts the matching rows
-- (index only) and fetches them for an exact answer. A decade is a range of years.
CREATE INDEX recording_genre_year ON pgsim.recording (genre, year) WHERE vector IS NOT NULL;

-- Usage: similar_recordings(..., decade => 1990) without a genre; counts all recordings with a vector.
CREATE INDEX recording_year ON pgsim.recording (year) WHERE vector IS NOT NULL;

-- Usage: similar_recordings(..., genre => 'dortmund:rock'), a label of another scheme than the default one.
CREATE INDEX recording_genres ON pgsim.recording USING gin (genres);

-- Usage: similar_recordings(..., length_from => 600): counts the matching rows (index only) and fetches them for an exact answer.
CREATE INDEX recording_length ON pgsim.recording (length) WHERE vector IS NOT NULL;

-- Usage: find_recordings('beatles hey ju'): finds words of artist and title. The expression is that of
-- search_words(). It calls no function of pgsim's, so that an upgrade can replace them all.
CREATE INDEX recording_words ON pgsim.recording USING gin ((
    setweight(to_tsvector('simple', regexp_replace(regexp_replace(
        normalize(left(coalesce(artist, ''), 1000), nfkd),
        '[\u0300-\u036F\u2019''`]', '', 'g'
    ), '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00BF\u2010-\u205E]', ' ', 'g')), 'A')
    || setweight(to_tsvector('simple', regexp_replace(regexp_replace(
        normalize(left(coalesce(title, ''), 1000), nfkd),
        '[\u0300-\u036F\u2019''`]', '', 'g'
    ), '[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00BF\u2010-\u205E]', ' ', 'g')), 'B')
));

-- Usage: begin_rebuild(): finds the unfinished rebuild. It also prevents a second one.
CREATE UNIQUE INDEX rebuild_unfinished ON pgsim.rebuild ((finished_at IS NULL)) WHERE finished_at IS NULL;

-- Usage: answer() and similar_recordings(), where too many changes are pending to be merged: finds whether a
-- recording has changed since its reach was stored.
CREATE INDEX stale_id ON pgsim.stale (id);
