COMMENT ON TABLE pgsim.alembic_version IS 'The revision of the tables, in one row; pgsim init --upgrade writes it.';
COMMENT ON COLUMN pgsim.alembic_version.version_num IS 'The number of the newest revision that the tables have gone through.';

-- Under a publication of all tables, rows of a table without a key cannot be deleted.
ALTER TABLE pgsim.rebuild_event ADD COLUMN event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
COMMENT ON COLUMN pgsim.rebuild_event.event IS 'The number of the row.';

ALTER TABLE pgsim.rebuild ADD COLUMN cluster bigint, ADD COLUMN database oid;
COMMENT ON COLUMN pgsim.rebuild.cluster IS
'The server that it began on (system_identifier of pg_control_system()): its snapshot says nothing elsewhere.';
COMMENT ON COLUMN pgsim.rebuild.database IS 'The database that it began in (pg_database.oid).';

-- Two rows in a page, and space for some versions of each.
ALTER TABLE pgsim.reach SET (fillfactor = 30);

ALTER TABLE pgsim.run
ADD COLUMN outcome text,
ADD COLUMN error text,
ADD CONSTRAINT outcome_is_known CHECK (outcome IN ('done', 'failed', 'interrupted', 'broken off'));
UPDATE pgsim.run SET outcome = 'done' WHERE finished_at IS NOT NULL;
COMMENT ON COLUMN pgsim.run.finished_at IS 'When it ended, or was found broken off; NULL while it runs.';
COMMENT ON COLUMN pgsim.run.outcome IS
'How it ended: done, failed, interrupted (by a signal), or broken off, where its session ended without a word; NULL while it runs.';
COMMENT ON COLUMN pgsim.run.error IS 'Why it failed.';

ALTER TABLE pgsim.collection ADD COLUMN notifies boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN pgsim.collection.notifies IS
'Whether a transaction that changes vectors sends a NOTIFY, which wakes pgsim refresh --follow at once. PostgreSQL cannot prepare such a '
'transaction (two-phase commit): false lets it, and --follow then looks once a minute.';

CREATE INDEX recording_source_id ON pgsim.recording USING hash (source_id) WHERE source_id IS NOT NULL;

ALTER TABLE pgsim.recording ADD COLUMN named text[];
COMMENT ON COLUMN pgsim.recording.named IS
'The columns that pgsim names has filled, since no submission has them; NULL where there is none. A submission that has one replaces it.';

ALTER TABLE pgsim.feature_set
ADD COLUMN quantiles double precision[],
DROP CONSTRAINT transform_is_known,
ADD CONSTRAINT transform_is_known CHECK (transform IN ('zscore', 'rank', 'isotropic', 'hellinger', 'unit', 'log')),
ADD CONSTRAINT quantiles_are_fitted_for_ranks CHECK ((quantiles IS NOT NULL) = (transform = 'rank' AND center IS NOT NULL)),
ADD CONSTRAINT quantiles_are_257_for_each_dimension CHECK (cardinality(quantiles) = length * 257);
COMMENT ON COLUMN pgsim.feature_set.quantiles IS
'Of the transform rank, for each dimension the 257 values that have the normal scores -4 to 4; NULL for other transforms.';

CREATE TABLE pgsim.donor (
    number integer PRIMARY KEY,
    vector vector NOT NULL
);

COMMENT ON TABLE pgsim.donor IS
'The complete recordings of the last fit, the first 32,768 by MBID at most: a recording that lacks a feature set takes it from the one '
'of these that is nearest by the sets that it has.';
COMMENT ON COLUMN pgsim.donor.number IS 'The rank of the recording by MBID, from 1: of equally near ones the first gives the set.';
COMMENT ON COLUMN pgsim.donor.vector IS 'The vector of the recording.';
COMMENT ON COLUMN pgsim.recording.missing IS
'The feature sets that no submission has. The vector has those of the nearest complete recording there (see donor), or 0.';
