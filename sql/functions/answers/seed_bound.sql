CREATE OR REPLACE FUNCTION pgsim.seed_bound(s pgsim.question_seed, least_similarity real) RETURNS double precision
LANGUAGE sql STABLE PARALLEL UNSAFE
BEGIN ATOMIC
    -- Where recordings are hidden from the caller, a reach that is searched for is the mean of farther distances than
    -- a stored one, which counts all recordings; the bound holds for reaches of one kind.
    SELECT
        pgsim.similarity_bound(
            least_similarity,
            CASE
                WHEN least_similarity > 0 AND row_security_active('pgsim.recording'::regclass)
                    THEN greatest(s.reach, pgsim.live_reach(s.vector, s.id))
                ELSE s.reach
            END
        );
END;

COMMENT ON FUNCTION pgsim.seed_bound(pgsim.question_seed, real) IS
'Internal: the distance beyond which no recording that the caller may see can have this similarity to a seed; NULL where nothing is '
'asked.';
