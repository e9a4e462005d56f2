-- Usage: answer() and similar_recordings(), where too many changes are pending to be merged: finds whether a
-- recording has changed since its reach was stored.
CREATE INDEX stale_id ON pgsim.stale (id);
