CREATE OR REPLACE FUNCTION pgsim.refresh_lock() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path FROM CURRENT
AS $$
BEGIN
    -- What the one before has done is seen only by statements that look again.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the matrix changes in transactions of READ COMMITTED alone, and this one is %',
            upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'active_sql_transaction', HINT = 'SET default_transaction_isolation = ''read committed''';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('pgsim.similarity'));
END
$$;

COMMENT ON FUNCTION pgsim.refresh_lock() IS
'Internal: waits until no other transaction changes the matrix, and blocks such transactions until this one ends; an error where this '
'one is not READ COMMITTED.';
