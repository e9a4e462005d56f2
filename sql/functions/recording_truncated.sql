CREATE OR REPLACE FUNCTION pgsim.recording_truncated() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    TRUNCATE similarity_a, similarity_b, stale, rebuild_event;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION pgsim.recording_truncated() IS 'Trigger: a collection without recordings has no matrix.';
