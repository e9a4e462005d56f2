CREATE TABLE pgsim.collection (
    singleton boolean PRIMARY KEY DEFAULT true,
    profile text NOT NULL,
    extractor text NOT NULL,
    genre_scheme text NOT NULL,
    list_length integer NOT NULL DEFAULT 100,
    fitted_at timestamptz,
    fitted_on integer,
    columns jsonb NOT NULL DEFAULT '{}',
    notifies boolean NOT NULL DEFAULT true,
    map double precision[],
    inverse double precision[],
    CONSTRAINT there_is_one_collection CHECK (singleton),
    CONSTRAINT list_length_is_from_50_to_1000 CHECK (list_length BETWEEN 50 AND 1000),
    CONSTRAINT map_has_an_inverse CHECK (cardinality(map) = cardinality(inverse) AND (map IS NULL) = (inverse IS NULL))
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
COMMENT ON COLUMN pgsim.collection.notifies IS
'Whether a transaction that changes vectors sends a NOTIFY, which wakes pgsim refresh --follow at once. PostgreSQL cannot prepare such a '
'transaction (two-phase commit): false lets it, and --follow then looks once a minute.';
COMMENT ON COLUMN pgsim.collection.map IS
'The symmetric matrix, by rows, that every vector is multiplied by at last: the map over all sets that pgsim tune --across-sets has '
'learned. With it a set is no slice of the vector and has no distance of its own. NULL for none.';
COMMENT ON COLUMN pgsim.collection.inverse IS 'The inverse of the map, by which an explanation finds the sets again.';
