-- Rows of one table can be about one recording, each with another genre.
CREATE OR REPLACE FUNCTION pgsim.join_documents(held jsonb, brought jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN held || (
    SELECT
        jsonb_object_agg(
            b.document,
            coalesce(held -> b.document, '{}') || b.metadata || coalesce(
                (
                    SELECT jsonb_build_object('labels', jsonb_object_agg(s.scheme, s.labels))
                    FROM (
                        SELECT
                            l.scheme,
                            jsonb_agg(l.label ORDER BY l.place) AS labels
                        FROM (
                            SELECT
                                e.scheme,
                                t.label,
                                min(e.side * 1000000 + t.place) AS place
                            FROM (
                                SELECT
                                    o.side,
                                    k.key AS scheme,
                                    k.value AS labels
                                FROM (VALUES (0, held -> b.document -> 'labels'), (1, b.metadata -> 'labels')) AS o (side, labels),
                                    jsonb_each(o.labels) AS k
                            ) AS e,
                                jsonb_array_elements(e.labels) WITH ORDINALITY AS t (label, place)
                            GROUP BY e.scheme, t.label
                        ) AS l
                        GROUP BY l.scheme
                    ) AS s
                    HAVING count(*) > 0
                ),
                '{}'
            )
        )
    FROM jsonb_each(brought) AS b (document, metadata)
);

COMMENT ON FUNCTION pgsim.join_documents(jsonb, jsonb) IS
'Internal: the documents of a submission with those of another row of the same file, which has another label: the labels of both.';
