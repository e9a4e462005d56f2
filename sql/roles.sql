-- Three roles of the whole server, and what they may do in this database. Not in the manifest: pgsim init
-- --roles runs it, and init --upgrade again, for tables that are new.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['pgsim_reader', 'pgsim_listener', 'pgsim_writer'] LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
    FOREACH wanted IN ARRAY ARRAY['pgsim_listener', 'pgsim_writer'] LOOP
        IF NOT pg_has_role(wanted, 'pgsim_reader', 'USAGE') THEN
            EXECUTE format('GRANT pgsim_reader TO %I', wanted);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA pgsim TO pgsim_reader;

GRANT SELECT ON
pgsim.alembic_version, pgsim.upgrade_step, pgsim.collection, pgsim.feature_set, pgsim.sampled_pair, pgsim.donor,
pgsim.submission, pgsim.recording, pgsim.redirect, pgsim.similarity, pgsim.similarity_a, pgsim.similarity_b,
pgsim.similarity_matrix, pgsim.metrics, pgsim.reach, pgsim.stale, pgsim.rebuild, pgsim.rebuild_part, pgsim.rebuild_event,
pgsim.archive, pgsim.reject, pgsim.run, pgsim.web_user, pgsim.rating, pgsim.map_position
TO pgsim_reader;

-- For a dump, which notes how far each has counted.
GRANT SELECT ON SEQUENCE
pgsim.recording_id_seq, pgsim.stale_event_seq, pgsim.rebuild_id_seq, pgsim.rebuild_event_event_seq, pgsim.run_id_seq
TO pgsim_reader;

GRANT INSERT, UPDATE, DELETE ON
pgsim.sampled_pair, pgsim.donor, pgsim.submission, pgsim.recording, pgsim.redirect, pgsim.similarity, pgsim.similarity_a,
pgsim.similarity_b, pgsim.reach, pgsim.stale, pgsim.rebuild, pgsim.rebuild_part, pgsim.rebuild_event, pgsim.archive, pgsim.reject,
pgsim.run, pgsim.rating, pgsim.map_position
TO pgsim_writer;

-- What rate() writes.
GRANT INSERT (seed, answer, by_whom, verdict), UPDATE (verdict, rated_at) ON pgsim.rating TO pgsim_listener;

-- A fit, and the length of the lists; not what the vectors are made of.
GRANT UPDATE (center, scale, quantiles) ON pgsim.feature_set TO pgsim_writer;
GRANT UPDATE (list_length, fitted_at, fitted_on) ON pgsim.collection TO pgsim_writer;
GRANT TRUNCATE ON pgsim.similarity_a, pgsim.similarity_b, pgsim.stale TO pgsim_writer;

-- VACUUM and ANALYZE; before PostgreSQL 17 they are the owner's alone.
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 170000 THEN
        EXECUTE 'GRANT MAINTAIN ON pgsim.recording, pgsim.similarity_a, pgsim.similarity_b, pgsim.reach, pgsim.map_position TO pgsim_writer';
    END IF;
END
$$;
