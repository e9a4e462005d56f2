"""Databases of other programs to load from: AudioMuse-AI's."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from pgsim.errors import UsageError
from pgsim.features.profile import Profile
from pgsim.postgres.connection import Connection, connect, redact, resolve
from pgsim.sources import audiomuse, inputs
from pgsim.sources.streams.files import Member, SourceError, storable
from pgsim.sources.streams.walk import Input, Place

_AT_ONCE = 500  # rows in memory
# The rows of `score` have all columns that this release of AudioMuse-AI knows.
_TRACKS = """
    SELECT
        s.item_id,
        (to_jsonb(s) || jsonb_build_object('embedding', encode(e.embedding, 'base64'){clap}))::text
    FROM public.score AS s
    LEFT JOIN public.embedding AS e ON e.item_id = s.item_id
    {join}
    ORDER BY s.item_id
"""
_CLAP = ", 'clap_embedding', encode(c.embedding, 'base64')"
_JOIN = "LEFT JOIN public.clap_embedding AS c ON c.item_id = s.item_id"

# Tables that another role made than the one that made `score`.
_STRANGE = """
    SELECT c.relname::text, pg_get_userbyid(c.relowner)::text, pg_get_userbyid(s.relowner)::text
    FROM pg_class AS c CROSS JOIN pg_class AS s
    WHERE
        c.oid IN (to_regclass('public.embedding'), to_regclass('public.clap_embedding'))
        AND s.oid = to_regclass('public.score') AND c.relowner <> s.relowner
"""


@dataclass(frozen=True, slots=True)
class AudioMuse:
    """AudioMuse-AI's database, whose tracks are its documents; `str` leaves the password out."""

    url: str = field(repr=False)
    shown: str
    name: str

    def __str__(self) -> str:
        """Return the URL without a password."""
        return self.shown

    def require_tables(self) -> None:
        """Raise DatabaseError or SourceError if the database cannot be reached, or is another.

        Where others may create, one of them may have made a view of that name: it would run code of
        theirs.
        """
        with closing(connect(self.url)) as conn:
            for table in ("score", "embedding"):
                if not _is_there(conn, table):
                    raise SourceError(
                        f"{self} has no table public.{table}: it is not a database of AudioMuse-AI"
                    )
            for table, owner, owner_of_score in conn.execute(_STRANGE.encode()):
                raise SourceError(
                    f"{self}: public.{table} belongs to role '{owner}', and public.score to"
                    f" '{owner_of_score}': drop it, unless it is AudioMuse-AI's; then"
                    f" ALTER TABLE public.{table} OWNER TO {owner_of_score}"
                )

    def members(self) -> Iterator[Member]:
        """Yield the tracks in the order of their ids, as they are when the first one is read."""
        read = 0
        try:
            with closing(connect(self.url)) as conn:
                conn.read_only = True
                has_clap = _is_there(conn, "clap_embedding")
                parts = {"clap": _CLAP, "join": _JOIN} if has_clap else {"clap": "", "join": ""}
                with conn.cursor(name="pgsim_tracks") as cursor:
                    cursor.itersize = _AT_ONCE
                    for item_id, track in cursor.execute(_TRACKS.format(**parts).encode()):
                        yield Member(f"{self.name}:{storable(item_id)}", track.encode())
                        read += 1
        except psycopg.Error as error:
            reason = " ".join(str(error).split())
            yield Member(self.name, b"", f"broken after {read} tracks: {reason}")


def place_of(text: str | Path) -> Place:
    """Return a path, or the database that a URL names; UsageError for a URL of another program."""
    url = str(text)
    found = re.match(r"([A-Za-z][\w.+-]*)://", url)
    if not found:
        if re.search(r"\bpassword\s*=", url) and not Path(text).exists():
            raise UsageError(
                "a connection string is no path: give the database as a URL,"
                " postgresql://user@host:port/database"
            )
        return Path(text)
    if found[1].lower() in ("http", "https"):
        raise UsageError(
            "a page of the web cannot be loaded: save it as a file of JSON first, or give"
            " AudioMuse-AI's database, postgresql://user@host:port/database"
        )
    conninfo = resolve(url)
    shown = redact(conninfo)
    name = re.split("[/?]", shown.partition("://")[2])[1] or "database"
    return AudioMuse(conninfo, shown, storable(name))


def inputs_of(place: Place, source: str | None, profile: Profile) -> Iterator[Input]:
    """Return the files of a path, or the database as the only input.

    What `pgsim.sources.inputs` raises; DatabaseError or SourceError for a database.
    """
    if isinstance(place, Path):
        return inputs(place, source, profile)
    if source not in (None, audiomuse.name):
        raise UsageError(f"source '{source}' reads no database: leave the source out for {place}")
    return iter([Input(place, place, audiomuse)])


def _is_there(conn: Connection, table: str) -> bool:
    row = conn.execute("SELECT to_regclass(%s) IS NOT NULL", (f"public.{table}",)).fetchone()
    return bool(row and row[0])
