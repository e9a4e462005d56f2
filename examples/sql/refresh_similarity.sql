CALL pgsim.refresh_similarity();
