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
'One submission as it was read, raw, so that transforms, weights and statistics can change without reading the files again.';
COMMENT ON COLUMN pgsim.submission.mbid IS 'MusicBrainz id of the recording.';
COMMENT ON COLUMN pgsim.submission.source IS 'Kind of source it came from: acousticbrainz, ...';
COMMENT ON COLUMN pgsim.submission.number IS 'Offset of the submission among those of its MBID.';
COMMENT ON COLUMN pgsim.submission.features IS
'Values of all feature sets side by side, before any transform; NaN where a set is missing.';
COMMENT ON COLUMN pgsim.submission.documents IS
'Metadata of each document that was merged into the submission, by kind: {"lowlevel": {"title": ...}}.';
