CREATE OR REPLACE FUNCTION pgsim.refresh_lock() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
BEGIN
    -- Only in READ COMMITTED do later statements see what the transaction before this one did.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the matrix can be changed in a READ COMMITTED transaction only, but this one is %',
            upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'active_sql_transaction', HINT = 'SET default_transaction_isolation = ''read committed''';
    END IF;
    PERFORM refuse_row_security();
    PERFORM pg_advisory_xact_lock(hashtext('pgsim.similarity'));
END
$$;

COMMENT ON FUNCTION pgsim.refresh_lock() IS
'Internal: waits until no other transaction changes the matrix, and blocks such transactions until this one ends; an error where this '
'one is not READ COMMITTED, or where row-level security hides recordings from it.';
