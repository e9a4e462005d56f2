"""The user's own PostgreSQL server with pgvector, run from the binaries of `pgsim[embedded]`."""

from pgsim.embedded.account import EmbeddedError
from pgsim.embedded.server import Server, databases, ensure_database, start, stop

__all__ = ["EmbeddedError", "Server", "databases", "ensure_database", "start", "stop"]
