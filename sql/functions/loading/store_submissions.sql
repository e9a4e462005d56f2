-- In plpgsql, because its temporary table exists only when it runs.
CREATE OR REPLACE FUNCTION pgsim.store_submissions() RETURNS TABLE (mbid uuid, source text, number integer, is_new boolean)
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    INSERT INTO submission AS s (mbid, source, number, features, documents)
    SELECT
        i.mbid,
        i.source,
        i.number,
        i.features,
        -- A row of a file that has had another row of the same submission adds its labels to that one's.
        CASE
            WHEN i.joins THEN join_documents(coalesce(h.documents, '{}'), i.documents)
            ELSE i.documents
        END
    FROM pg_temp.incoming_submission AS i
    LEFT JOIN submission AS h ON i.joins AND i.mbid = h.mbid AND i.source = h.source AND i.number = h.number
    ORDER BY i.mbid, i.source, i.number
    ON CONFLICT (mbid, source, number) DO UPDATE
    SET
        features = merge_features(s.features, excluded.features),
        documents = s.documents || excluded.documents
    WHERE
        s.documents <> s.documents || excluded.documents
        OR s.features <> merge_features(s.features, excluded.features)
    RETURNING s.mbid, s.source, s.number, s.xmax = 0;
END
$$;

COMMENT ON FUNCTION pgsim.store_submissions() IS
'Internal: stores the rows of the temporary table incoming_submission, and merges the documents of one submission; returns the new and '
'the changed submissions.';
