CREATE TABLE pgsim.rating (
    seed uuid NOT NULL,
    answer uuid NOT NULL,
    by_whom text NOT NULL,
    verdict smallint NOT NULL,
    rated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT a_person_rates_an_answer_once PRIMARY KEY (seed, answer, by_whom),
    CONSTRAINT answer_is_not_the_seed CHECK (answer <> seed),
    CONSTRAINT verdict_is_from_minus_1_to_1 CHECK (verdict BETWEEN -1 AND 1),
    CONSTRAINT by_whom_has_from_1_to_200_characters CHECK (btrim(by_whom) <> '' AND length(by_whom) <= 200)
);

COMMENT ON TABLE pgsim.rating IS
'What one person says of one answer; rate() writes it. It names MBIDs, so that it outlives a recording that is deleted or merged.';
COMMENT ON COLUMN pgsim.rating.seed IS 'The MBID of the seed of the question.';
COMMENT ON COLUMN pgsim.rating.answer IS 'The MBID of the answer.';
COMMENT ON COLUMN pgsim.rating.by_whom IS 'Who says so: a name that the calling program gives, of at most 200 characters.';
COMMENT ON COLUMN pgsim.rating.verdict IS '1: it sounds like the seed; -1: it does not; 0: an earlier verdict is taken back.';
COMMENT ON COLUMN pgsim.rating.rated_at IS 'When, or when last.';
