CREATE OR REPLACE FUNCTION pgsim.refresh_lock() RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pgsim, pg_temp
AS $$
DECLARE
    holder text;
BEGIN
    -- Only in READ COMMITTED do later statements see what the transaction before this one did.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the matrix can be changed in a READ COMMITTED transaction only, but this one is %',
            upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'active_sql_transaction', HINT = 'SET default_transaction_isolation = ''read committed''';
    END IF;
    PERFORM refuse_row_security();
    -- For ten seconds at most: the statement keeps its snapshot, and vacuum would wait for that.
    FOR attempt IN 1 .. 100 LOOP
        IF try_refresh_lock() THEN
            RETURN;
        END IF;
        PERFORM pg_sleep(0.1);
        holder := coalesce(lock_holder('pgsim.similarity'), holder);
        IF attempt = 30 THEN
            RAISE NOTICE 'waiting for %, which changes the matrix', holder;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'the matrix is being changed by %', coalesce(holder, 'another session')
        USING ERRCODE = 'lock_not_available', HINT = 'CALL pgsim.refresh_similarity() waits for its turn; or try again';
END
$$;

COMMENT ON FUNCTION pgsim.refresh_lock() IS
'Internal: waits, for ten seconds at most, until no other transaction changes the matrix, and keeps such transactions out until this '
'one ends; an error that names the other session after that, where this transaction is not READ COMMITTED, or where row-level security '
'hides recordings from it.';
