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
