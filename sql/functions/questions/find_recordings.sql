CREATE OR REPLACE FUNCTION pgsim.find_recordings(
    words text DEFAULT NULL, k integer DEFAULT 10, artist text DEFAULT NULL, title text DEFAULT NULL
) RETURNS SETOF pgsim.found_recording
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    -- Where more recordings than these have the words, not all are ranked.
    most CONSTANT integer := 20000;
    alike CONSTANT text := '0.45';
    trigrams CONSTANT text := (
        SELECT quote_ident(n.nspname) FROM pg_extension AS e INNER JOIN pg_namespace AS n ON e.extnamespace = n.oid
        WHERE e.extname = 'pg_trgm');
    kept CONSTANT text := current_setting('pg_trgm.word_similarity_threshold', true);
    lexemes text[];
    exact tsquery[];
    begun tsquery[];
    matching text;
    fields "char"[] := '{a,b}';
    steps text[];
    condition text;
    nearly text := '0';
    ids integer[];
    scores real[];
BEGIN
    PERFORM check_question(k);
    IF num_nonnulls(words, artist, title) = 0 THEN
        RAISE EXCEPTION 'words, artist and title are NULL: there is nothing to search for'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'give at least one of them';
    END IF;
    -- Each word is searched for in its field; the last word of each argument may be a prefix.
    SELECT
        array_agg(t.lexeme ORDER BY t.place),
        array_agg(format('''%s''%s', t.lexeme, ':' || nullif(t.field, ''))::tsquery ORDER BY t.place),
        array_agg(format('''%s'':%s%s', t.lexeme, t.star, t.field)::tsquery ORDER BY t.place),
        string_agg(format(
            CASE t.field WHEN 'A' THEN 'r.artist %1$s' WHEN 'B' THEN 'r.title %1$s' ELSE '(r.artist %1$s OR r.title %1$s)' END,
            format('OPERATOR(%s.%%>) $5[%s]', trigrams, t.place)), ' AND ' ORDER BY t.place)
    INTO lexemes, exact, begun, matching
    FROM (
        SELECT
            u.lexeme,
            v.field,
            CASE u.positions[1] WHEN max(u.positions[1]) OVER (PARTITION BY v.field) THEN '*' ELSE '' END AS star,
            row_number() OVER (ORDER BY v.field, u.positions[1]) AS place
        FROM (VALUES (words, ''), (artist, 'A'), (title, 'B')) AS v (text, field), unnest(search_words(v.text, NULL)) AS u
    ) AS t;
    IF lexemes IS NULL THEN
        RAISE NOTICE 'no recording is found by ''%'': it has no letter and no digit', concat_ws(' ', words, artist, title);
        RETURN;
    END IF;
    IF words IS NULL THEN
        fields := array_remove(ARRAY[CASE WHEN artist IS NOT NULL THEN 'a' END, CASE WHEN title IS NOT NULL THEN 'b' END], NULL);
    END IF;

    -- All words; else all but one; else words that are spelled alike.
    steps := ARRAY[(SELECT string_agg(q::text, ' & ') FROM unnest(begun) AS q)];
    IF cardinality(begun) BETWEEN 2 AND 10 THEN
        steps := steps || (
            SELECT string_agg((
                SELECT string_agg(q.query::text, ' & ') FROM unnest(begun) WITH ORDINALITY AS q (query, place)
                WHERE q.place <> n.place
            ), ' | ')
            FROM generate_series(1, cardinality(begun)) AS n (place));
    END IF;
    condition := 'search_words(r.artist, r.title) @@ $1';
    IF trigrams IS NOT NULL THEN
        steps := steps || steps[cardinality(steps)];
        PERFORM set_config('pg_trgm.word_similarity_threshold', alike, true);
    END IF;
    FOR step IN 1 .. cardinality(steps) LOOP
        IF trigrams IS NOT NULL AND step = cardinality(steps) THEN
            condition := format('(%s OR (%s))', condition, matching);
            nearly := format(
                'greatest(%1$s.word_similarity(t.lexeme, r.artist), %1$s.word_similarity(t.lexeme, r.title), 0)', trigrams);
        END IF;
        EXECUTE format('
            SELECT array_agg(b.id ORDER BY b.score DESC, b.mbid), array_agg(b.score ORDER BY b.score DESC, b.mbid)
            FROM (
                SELECT f.id, f.mbid, f.score
                FROM (
                    SELECT r.id, r.mbid, (
                        SELECT least(1, 2 * sum(CASE WHEN w.words @@ t.exact THEN 1 WHEN w.words @@ t.begun THEN 0.5 ELSE %s END)
                            / (cardinality($5) + length(w.words)))
                        FROM unnest($3, $4, $5) AS t (exact, begun, lexeme)
                    )::real AS score
                    FROM recording AS r
                    CROSS JOIN LATERAL (SELECT ts_filter(search_words(r.artist, r.title), $6)) AS w (words)
                    WHERE %s
                    LIMIT $7
                ) AS f
                ORDER BY f.score DESC, f.mbid
                LIMIT $2
            ) AS b', nearly, condition)
        INTO ids, scores
        USING steps[step]::tsquery, k, exact, begun, lexemes, fields, most;
        EXIT WHEN cardinality(ids) = k;
    END LOOP;
    IF trigrams IS NOT NULL THEN
        PERFORM set_config('pg_trgm.word_similarity_threshold', kept, true);
    END IF;
    RETURN QUERY
    SELECT f.place::integer, r.mbid, r.artist, r.title, r.album, r.year::integer, f.score, r.source_id, r.url
    FROM unnest(ids, scores) WITH ORDINALITY AS f (id, score, place)
    INNER JOIN recording AS r ON f.id = r.id
    ORDER BY f.place;
END
$$;

COMMENT ON FUNCTION pgsim.find_recordings(text, integer, text, text) IS
'The k recordings whose artist and title match words best, the best first. Accents, case and punctuation are ignored,
and the last word may be a prefix. If fewer than k recordings have all words, recordings that lack one word follow. If
the extension pg_trgm is installed, in any schema, recordings with similarly spelt words follow too. The embedded server
does not have pg_trgm; the item misspelt words of status() says whether this database finds misspelt words. score is
from 0 to 1; 1 means all words and no others. source_id is the recording''s own id, if it has one.

- words: words of the artist or the title: ''beatles hey ju''.
- k: number of rows, from 1 to 1000; default 10.
- artist: words that the artist must have.
- title: words that the title must have.

A text without letters and digits finds nothing; a notice says so. Raises an error if no text is given, and for a k
that is out of range.';
