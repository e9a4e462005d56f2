"""A question put together from words: which function of SQL answers it, with what arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pgvector import Vector
from psycopg.errors import NumericValueOutOfRange
from psycopg.rows import dict_row

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import Connection
from pgsim.questions.file_seed import Unloaded

Row = dict[str, Any]

_FILTERS = {
    "genre": "text",
    "decade": "integer",
    "year_from": "integer",
    "year_to": "integer",
    "length_from": "double precision",
    "length_to": "double precision",
    "exclude": "uuid[]",
    "exclude_artists": "uuid[]",
    "metric": "text",
    "weights": "jsonb",
}
_RULES = {
    "max_per_artist": "integer",
    "distinct_titles": "boolean",
    "min_similarity": "double precision",
    "approximate": "boolean",
    "ranking": "text",
}
_SEEDS = {"same_genre": "boolean", "same_decade": "boolean"}
# Each function's words beside the seed, or the vector, and k.
_WORDS = {
    "similar_recordings": _FILTERS | _RULES | _SEEDS,
    "nearest_recordings": _FILTERS | _RULES,
    "dissimilar_recordings": _FILTERS,
    "distance_statistics": _FILTERS,
}


@dataclass(frozen=True, slots=True)
class Question:
    """A seed, or what is not in the database; how many; and the words that are not left out."""

    seed: UUID | Unloaded
    k: int
    words: Mapping[str, Any]
    worst: bool = False

    def ask(self, conn: Connection) -> list[Row]:
        """The answer's rows, keyed by the columns; UsageError for words that do not go together."""
        known = isinstance(self.seed, UUID)
        if self.worst and not known:
            raise UsageError("--worst asks about a recording in the database, by MBID")
        name = (
            "dissimilar_recordings"
            if self.worst
            else "similar_recordings"
            if known
            else "nearest_recordings"
        )
        for word in self.words.keys() - _WORDS[name].keys():
            option = "--" + word.replace("_", "-")
            raise UsageError(
                f"{option} cannot go with --worst"
                if self.worst
                else f"{option} asks about a recording in the database, by MBID"
            )
        first = "%(seed)s::uuid" if known else "%(vector)s::vector"
        return self._call(conn, name, self.words, f"{first}, %(k)s::integer")

    def statistics(self, conn: Connection) -> Row:
        """How far the recordings are that the question chooses from: distance_statistics()."""
        words = {word: value for word, value in self.words.items() if word in _FILTERS}
        if isinstance(self.seed, Unloaded):
            return self._call(conn, "distance_statistics", words, "%(vector)s::vector")[0]
        row = conn.execute(
            "SELECT id, vector, genre, decade FROM pgsim.recording"
            " WHERE id = pgsim.recording_of(%s)",
            (self.seed,),
        ).fetchone()
        assert row is not None
        words |= {"genre": row[2]} if self.words.get("same_genre") else {}
        words |= {"decade": row[3]} if self.words.get("same_decade") else {}
        first = "%(vector)s::vector, %(id)s"
        return self._call(conn, "distance_statistics", words, first, vector=row[1], id=row[0])[0]

    def explain(self, conn: Connection, mbid: UUID) -> list[Row]:
        """Why a recording of the answer is as near as it is: explain_similarity()."""
        if isinstance(self.seed, Unloaded):
            raise UsageError("--explain asks about a recording in the database, by MBID")
        cursor = conn.cursor(row_factory=dict_row)
        query = "SELECT * FROM pgsim.explain_similarity(%s, %s)"
        return cursor.execute(query.encode(), (self.seed, mbid)).fetchall()

    def _call(
        self, conn: Connection, name: str, words: Mapping[str, Any], first: str, **more: Any
    ) -> list[Row]:
        named = [f"{word} => %({word})s::{_WORDS[name][word]}" for word in words]
        vector = Vector(self.seed.vector) if isinstance(self.seed, Unloaded) else None
        values = {**words, "seed": self.seed, "vector": vector, "k": self.k, **more}
        if vector is not None:
            del values["seed"]
        query = f"SELECT * FROM pgsim.{name}({', '.join([first, *named])})"
        try:
            return conn.cursor(row_factory=dict_row).execute(query.encode(), values).fetchall()
        except NumericValueOutOfRange as error:
            numbers = [(v, w) for w, v in values.items() if isinstance(v, int | float)]
            value, word = max(numbers, key=lambda each: abs(each[0]))
            raise UsageError(f"{word} {value}: {error.diag.message_primary}") from None


def find(conn: Connection, artist: str | None, title: str | None, most: int) -> list[Row]:
    """Recordings by words of artist and title; PgsimError where there is none."""
    found = (
        conn.cursor(row_factory=dict_row)
        .execute(
            "SELECT * FROM pgsim.find_recordings(NULL, %s, artist => %s, title => %s)",
            (most, artist, title),
        )
        .fetchall()
    )
    if not found:
        asked = " and ".join(
            f"{name} '{value}'" for name, value in (("artist", artist), ("title", title)) if value
        )
        raise PgsimError(f"no recording has the words of {asked}: try fewer of them")
    return found
