SELECT * FROM pgsim.refresh_batch(1000);
