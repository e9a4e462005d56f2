CREATE OR REPLACE FUNCTION pgsim.ratings(person text DEFAULT NULL)
RETURNS TABLE (
    seed uuid, answer uuid, verdict integer, by_whom text, rated_at timestamptz,
    seed_artist text, seed_title text, answer_artist text, answer_title text
)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
    -- Two MBIDs that were merged have one verdict: the later.
    SELECT
        d.seed, d.answer, d.verdict::integer, d.by_whom, d.rated_at,
        d.seed_artist, d.seed_title, d.answer_artist, d.answer_title
    FROM (
        SELECT DISTINCT ON (coalesce(s.mbid, t.seed), coalesce(a.mbid, t.answer), t.by_whom)
            coalesce(s.mbid, t.seed) AS seed,
            coalesce(a.mbid, t.answer) AS answer,
            t.verdict,
            t.by_whom,
            t.rated_at,
            s.artist AS seed_artist,
            s.title AS seed_title,
            a.artist AS answer_artist,
            a.title AS answer_title
        FROM rating AS t
        LEFT JOIN recording AS s ON s.id = known_recording(t.seed)
        LEFT JOIN recording AS a ON a.id = known_recording(t.answer)
        WHERE ratings.person IS NULL OR t.by_whom = ratings.person
        ORDER BY coalesce(s.mbid, t.seed), coalesce(a.mbid, t.answer), t.by_whom, t.rated_at DESC, t.seed, t.answer
    ) AS d
    WHERE d.verdict <> 0
    ORDER BY d.rated_at, d.seed, d.answer, d.by_whom;
$$;

COMMENT ON FUNCTION pgsim.ratings(text) IS
'The verdicts that rate() has stored, the oldest first, without those that were taken back. seed and answer are the MBIDs
of the recordings as they are today: where MusicBrainz has merged one into another, that of the other. A recording that
was deleted has no artist and no title here.

- person: whose verdicts; NULL (default) for everybody''s.

Raises an error for a caller that may not read them.';
