"""The way into PostgreSQL: connections, and its binary form. pgsim's tables are unknown here."""
