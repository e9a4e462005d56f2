"""pgsim's tables, each read and written in one place."""
