CREATE OR REPLACE FUNCTION pgsim.rate(seed uuid, answer uuid, verdict integer, by_whom text) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    IF rate.verdict IS NULL OR rate.verdict NOT BETWEEN -1 AND 1 THEN
        RAISE EXCEPTION 'verdict is %, but must be from -1 to 1', coalesce(rate.verdict::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value',
                HINT = '1: it sounds like the seed; -1: it does not; 0: an earlier verdict is taken back';
    ELSIF coalesce(btrim(rate.by_whom), '') = '' THEN
        RAISE EXCEPTION 'by_whom is empty' USING ERRCODE = 'invalid_parameter_value', HINT = 'say whose verdict it is: any name will do';
    ELSIF length(rate.by_whom) > 200 THEN
        RAISE EXCEPTION 'by_whom has % characters, but may have 200', length(rate.by_whom)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'give a shorter name';
    ELSIF recording_of(rate.seed) = recording_of(rate.answer) THEN
        RAISE EXCEPTION 'recording % is the seed and the answer', rate.answer
            USING ERRCODE = 'invalid_parameter_value', HINT = 'rate an answer that is another recording';
    END IF;
    INSERT INTO rating (seed, answer, verdict, by_whom)
    SELECT s.mbid, a.mbid, rate.verdict, rate.by_whom
    FROM recording AS s CROSS JOIN recording AS a
    WHERE s.id = recording_of(rate.seed) AND a.id = recording_of(rate.answer)
    ON CONFLICT (seed, answer, by_whom) DO UPDATE SET verdict = excluded.verdict, rated_at = excluded.rated_at;
END
$$;

COMMENT ON FUNCTION pgsim.rate(uuid, uuid, integer, text) IS
'Stores whether an answer sounds like its seed, for one person. A later call for the same seed, answer and person replaces
the verdict. pgsim tune --ratings learns from the verdicts, pgsim evaluate --ratings counts how many the distances agree with.

- seed: MBID of the recording that the question started from.
- answer: MBID of the answer.
- verdict: 1 if it sounds like the seed, -1 if it does not, 0 to take an earlier verdict back.
- by_whom: whose verdict it is, from 1 to 200 characters: a number, or any name that the calling program gives.

Raises an error for a recording that is unknown, for a recording that is seed and answer, for another verdict, and for
a name that is empty or too long. The role pgsim_listener may call it, and change nothing else.';
