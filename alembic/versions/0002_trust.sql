COMMENT ON TABLE pgsim.alembic_version IS 'The revision of the tables, in one row; pgsim init --upgrade writes it.';
COMMENT ON COLUMN pgsim.alembic_version.version_num IS 'The number of the newest revision that the tables have gone through.';

-- Under a publication of all tables, rows of a table without a key cannot be deleted.
ALTER TABLE pgsim.rebuild_event ADD COLUMN event bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
COMMENT ON COLUMN pgsim.rebuild_event.event IS 'The number of the row.';

ALTER TABLE pgsim.rebuild ADD COLUMN cluster bigint, ADD COLUMN database oid;
COMMENT ON COLUMN pgsim.rebuild.cluster IS
'The server that it began on (system_identifier of pg_control_system()): its snapshot says nothing elsewhere.';
COMMENT ON COLUMN pgsim.rebuild.database IS 'The database that it began in (pg_database.oid).';

-- Two rows in a page, and space for some versions of each.
ALTER TABLE pgsim.reach SET (fillfactor = 30);

ALTER TABLE pgsim.run
ADD COLUMN outcome text,
ADD COLUMN error text,
ADD CONSTRAINT outcome_is_known CHECK (outcome IN ('done', 'failed', 'interrupted', 'broken off'));
UPDATE pgsim.run SET outcome = 'done' WHERE finished_at IS NOT NULL;
COMMENT ON COLUMN pgsim.run.finished_at IS 'When it ended, or was found broken off; NULL while it runs.';
COMMENT ON COLUMN pgsim.run.outcome IS
'How it ended: done, failed, interrupted (by a signal), or broken off, where its session ended without a word; NULL while it runs.';
COMMENT ON COLUMN pgsim.run.error IS 'Why it failed.';

ALTER TABLE pgsim.collection ADD COLUMN notifies boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN pgsim.collection.notifies IS
'Whether a transaction that changes vectors sends a NOTIFY, which wakes pgsim refresh --follow at once. PostgreSQL cannot prepare such a '
'transaction (two-phase commit): false lets it, and --follow then looks once a minute.';

CREATE INDEX recording_source_id ON pgsim.recording USING hash (source_id) WHERE source_id IS NOT NULL;

ALTER TABLE pgsim.recording ADD COLUMN named text[];
COMMENT ON COLUMN pgsim.recording.named IS
'The columns that pgsim names has filled, since no submission has them; NULL where there is none. A submission that has one replaces it.';

ALTER TABLE pgsim.feature_set
ADD COLUMN quantiles double precision[],
DROP CONSTRAINT transform_is_known,
ADD CONSTRAINT transform_is_known CHECK (transform IN ('zscore', 'rank', 'isotropic', 'hellinger', 'unit', 'log')),
ADD CONSTRAINT quantiles_are_fitted_for_ranks CHECK ((quantiles IS NOT NULL) = (transform = 'rank' AND center IS NOT NULL)),
ADD CONSTRAINT quantiles_are_257_for_each_dimension CHECK (cardinality(quantiles) = length * 257);
COMMENT ON COLUMN pgsim.feature_set.quantiles IS
'Of the transform rank, for each dimension the 257 values that have the normal scores -4 to 4; NULL for other transforms.';

-- A reach is the mean of 50 distances; it was that of 25. Lists of fewer are made again by the next refresh.
UPDATE pgsim.similarity_a
SET reach = (SELECT avg(d.distance)::real FROM unnest(distances[:50]) AS d (distance)) WHERE cardinality(distances) > 25;
UPDATE pgsim.similarity_b
SET reach = (SELECT avg(d.distance)::real FROM unnest(distances[:50]) AS d (distance)) WHERE cardinality(distances) > 25;
INSERT INTO pgsim.stale (id)
SELECT r.id FROM pgsim.recording AS r CROSS JOIN pgsim.collection AS c
WHERE
    c.list_length < 50 AND r.vector IS NOT NULL
    AND (EXISTS (SELECT FROM pgsim.similarity_a) OR EXISTS (SELECT FROM pgsim.similarity_b));
UPDATE pgsim.collection SET list_length = 50 WHERE list_length < 50;
DELETE FROM pgsim.rebuild WHERE finished_at IS NULL AND list_length < 50;
ALTER TABLE pgsim.collection
DROP CONSTRAINT list_length_is_from_25_to_1000,
ADD CONSTRAINT list_length_is_from_50_to_1000 CHECK (list_length BETWEEN 50 AND 1000);
-- It tells of past rebuilds too.
ALTER TABLE pgsim.rebuild
DROP CONSTRAINT list_length_is_from_25_to_1000,
ADD CONSTRAINT list_length_is_from_1_to_1000 CHECK (list_length BETWEEN 1 AND 1000);

ALTER TABLE pgsim.stale ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN pgsim.stale.changed_at IS 'When that transaction began.';

ALTER TABLE pgsim.feature_set
ADD COLUMN map double precision[],
ADD COLUMN inverse double precision[],
ADD CONSTRAINT map_is_square CHECK (cardinality(map) = length * length),
ADD CONSTRAINT inverse_is_square CHECK (cardinality(inverse) = length * length),
ADD CONSTRAINT map_has_an_inverse CHECK ((map IS NULL) = (inverse IS NULL));
COMMENT ON TABLE pgsim.feature_set IS
'One named slice of recording.vector, and how its numbers are made: '
'vector = (aggregate(transform(value)) - center) / scale * sqrt(weight), and then times the map where there is one.';
COMMENT ON COLUMN pgsim.feature_set.map IS
'The symmetric matrix, by rows, that the set''s standardised values are multiplied by: what pgsim tune has learned; NULL for none.';
COMMENT ON COLUMN pgsim.feature_set.inverse IS 'The inverse of the map, by which an explanation finds the values again.';

CREATE TABLE pgsim.donor (
    number integer PRIMARY KEY,
    vector :pgvector.vector NOT NULL
);

COMMENT ON TABLE pgsim.donor IS
'The complete recordings of the last fit, the first 32,768 by MBID at most: a recording that lacks a feature set takes it from the one '
'of these that is nearest by the sets that it has.';
COMMENT ON COLUMN pgsim.donor.number IS 'The rank of the recording by MBID, from 1: of equally near ones the first gives the set.';
COMMENT ON COLUMN pgsim.donor.vector IS 'The vector of the recording.';
COMMENT ON COLUMN pgsim.recording.missing IS
'The feature sets that no submission has. The vector has those of the nearest complete recording there (see donor), or 0.';

CREATE TABLE pgsim.web_user (
    name text PRIMARY KEY,
    salt bytea NOT NULL,
    key_digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT name_has_from_1_to_200_characters CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT salt_has_16_bytes CHECK (length(salt) = 16),
    CONSTRAINT key_digest_is_a_sha256 CHECK (length(key_digest) = 32),
    CONSTRAINT key_is_of_one_user UNIQUE (key_digest)
);

COMMENT ON TABLE pgsim.web_user IS
'The users of pgsim serve, whom pgsim user adds and removes. A row tells nobody the key: it is made from the row and a secret of the '
'server, which is in no table.';
COMMENT ON COLUMN pgsim.web_user.name IS 'The name, by which a user of Subsonic logs in.';
COMMENT ON COLUMN pgsim.web_user.salt IS 'Random bytes that the key was made from, together with the name and the secret.';
COMMENT ON COLUMN pgsim.web_user.key_digest IS 'The SHA-256 of the key, by which it is recognised.';
COMMENT ON COLUMN pgsim.web_user.created_at IS 'When the user was added.';

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

CREATE INDEX recording_artist_mbids ON pgsim.recording USING gin (artist_mbids);

CREATE INDEX recording_artist_name ON pgsim.recording ((
    left(coalesce(
        nullif(replace(regexp_replace(
            CASE
                WHEN octet_length(artist) = length(artist) THEN lower(artist)
                ELSE lower(normalize(regexp_replace(normalize(artist, nfkd), '[\u0300-\u036F]', '', 'g'), nfkc))
            END,
            '\s*;.*|[\s(\[]+(?:feat|ft|featuring)[.\s].*|[\u0001-\u001F!"''-*,-/:-?\[-`{-\u00BF\u2010-\u205E\u3000-\u3002]+', '', 'g'
        ), ' ', ''), ''),
        nullif(btrim(CASE
            WHEN octet_length(artist) = length(artist) THEN lower(artist)
            ELSE lower(normalize(regexp_replace(normalize(artist, nfkd), '[\u0300-\u036F]', '', 'g'), nfkc))
        END), '')
    ), 500)
));

CREATE INDEX recording_album ON pgsim.recording USING hash ((
    btrim(CASE
        WHEN octet_length(album) = length(album) THEN lower(album)
        ELSE lower(normalize(regexp_replace(normalize(album, nfkd), '[\u0300-\u036F]', '', 'g'), nfkc))
    END)
));

CREATE TABLE pgsim.map_position (
    id integer PRIMARY KEY,
    x real NOT NULL,
    y real NOT NULL,
    CONSTRAINT x_and_y_are_from_minus_1_to_1 CHECK (x BETWEEN -1 AND 1 AND y BETWEEN -1 AND 1)
);
CREATE INDEX map_position_place ON pgsim.map_position USING gist (point(x, y));
CREATE INDEX map_position_sample ON pgsim.map_position (hashint4(id), id);

COMMENT ON TABLE pgsim.map_position IS
'The map: the place of each recording in two dimensions, where near recordings sound alike. pgsim map writes it; a refresh gives a '
'place to new recordings.';
COMMENT ON COLUMN pgsim.map_position.id IS 'The recording (recording.id).';
COMMENT ON COLUMN pgsim.map_position.x IS 'How far to the right the recording lies, from -1 to 1.';
COMMENT ON COLUMN pgsim.map_position.y IS 'How far up it lies, from -1 to 1.';
ALTER TABLE pgsim.recording
ADD COLUMN popularity real,
ADD CONSTRAINT popularity_is_not_negative CHECK (popularity BETWEEN 0 AND 'Infinity');
COMMENT ON COLUMN pgsim.recording.popularity IS
'How often the recording is listened to, in any unit: plays, listeners, or a score; NULL where unknown. Only its rank counts.';

ALTER TABLE pgsim.collection
ADD COLUMN map double precision[],
ADD COLUMN inverse double precision[],
ADD CONSTRAINT map_has_an_inverse CHECK (cardinality(map) = cardinality(inverse) AND (map IS NULL) = (inverse IS NULL));
COMMENT ON COLUMN pgsim.collection.map IS
'The symmetric matrix, by rows, that every vector is multiplied by at last: the map over all sets that pgsim tune --across-sets has '
'learned. With it a set is no slice of the vector and has no distance of its own. NULL for none.';
COMMENT ON COLUMN pgsim.collection.inverse IS 'The inverse of the map, by which an explanation finds the sets again.';
