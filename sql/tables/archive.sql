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
