-- The whole of pgsim, in the order of its dependencies. Read alike by pgsim init and by psql:
--     psql -v dimensions=68 --single-transaction -v ON_ERROR_STOP=1 -f sql/pgsim.sql
\ir schema.sql

\ir tables/alembic_version.sql
\ir tables/upgrade_step.sql
\ir tables/collection.sql
\ir tables/feature_set.sql
\ir tables/submission.sql
\ir tables/recording.sql
\ir tables/sampled_pair.sql
\ir tables/donor.sql
\ir tables/redirect.sql
\ir tables/similarity_a.sql
\ir tables/similarity_b.sql
\ir tables/reach.sql
\ir tables/map_position.sql
\ir tables/stale.sql
\ir tables/rebuild.sql
\ir tables/rebuild_part.sql
\ir tables/rebuild_event.sql
\ir tables/archive.sql
\ir tables/reject.sql
\ir tables/run.sql
\ir tables/web_user.sql
\ir tables/rating.sql

\ir indexes/recording_genre_year.sql
\ir indexes/recording_year.sql
\ir indexes/recording_genres.sql
\ir indexes/recording_length.sql
\ir indexes/recording_source_id.sql
\ir indexes/recording_artist_mbids.sql
\ir indexes/recording_artist_name.sql
\ir indexes/recording_album.sql
\ir indexes/recording_words.sql
\ir indexes/rebuild_unfinished.sql
\ir indexes/stale_id.sql
\ir indexes/map_position_place.sql
\ir indexes/map_position_sample.sql

\ir code.sql
