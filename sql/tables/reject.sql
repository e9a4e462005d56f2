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
