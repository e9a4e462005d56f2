"""Connections to PostgreSQL, and its binary format. This room knows no table of pgsim's."""
