"""The questions that SQL answers: each function, its arguments and its rows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar
from uuid import UUID

from psycopg.errors import NumericValueOutOfRange
from psycopg.rows import class_row

from pgsim.errors import PgsimError, UsageError
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_row, one_value
from pgsim.questions.answers import (
    Answer,
    BatchRecording,
    FoundRecording,
    MapRecording,
    MatchedRecording,
    MetricDistance,
    Rating,
    Recording,
    SetShare,
    SimilarAlbum,
    SimilarArtist,
    SimilarRecording,
    Statistics,
    Way,
)
from pgsim.questions.values import CONVERTERS, mbid_of
from pgsim.questions.words import (
    Albums,
    Away,
    Between,
    Expanding,
    Filters,
    Groups,
    Mbid,
    Mbids,
    Radio,
    SeedFilters,
    Word,
    Words,
    words_of,
)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Question(Generic[Row]):
    """A function of SQL: its name, its first arguments, its words, and the type of its rows."""

    function: str
    row: type[Row]
    first: Mapping[str, Word]
    words: Mapping[str, Word] = field(default_factory=dict)

    def call(self, names: Iterable[str], own_ids: Collection[str] = ()) -> str:
        """Return the call of the function in SQL, with these arguments by name, as psycopg's.

        Those of `own_ids` are given as text, MBIDs or own ids, which SQL looks up.
        """
        words = {**self.first, **self.words}
        named = [
            f"{name} => {_argument(name, words[name].kind, is_own_id=name in own_ids)}"
            for name in names
        ]
        return f"pgsim.{self.function}({', '.join(named)})"

    def ask(
        self,
        conn: Connection,
        first: Mapping[str, object],
        words: Mapping[str, object] | None = None,
    ) -> Answer[Row]:
        """Return the answer to the question with these arguments; a word that is None is left out.

        UsageError for a word that the function does not take, and for a value of a wrong type;
        psycopg's errors for what the function refuses.
        """
        kinds = {name: word.kind for name, word in (*self.first.items(), *self.words.items())}
        given = {
            name: value
            for name, value in {**first, **(words or {})}.items()
            if value is not None or name in self.first
        }
        for name in given.keys() - kinds.keys():
            known = ", ".join(self.words)
            raise UsageError(f"{self.function}() takes no `{name}`; known: {known}")
        for name, word in (*self.first.items(), *self.words.items()):
            if word.names_recordings and given.get(name) is not None:
                given[name] = _named_recordings(conn, word.kind, given[name])
        values = {
            name: value if value is None else CONVERTERS.get(kinds[name], _as_it_is)(value)
            for name, value in given.items()
        }
        query = f"SELECT * FROM {self.call(values)}"
        cursor = conn.cursor(row_factory=class_row(self.row))
        try:
            return Answer(self.row, cursor.execute(query.encode(), values).fetchall())
        except NumericValueOutOfRange as error:
            numbers = [(v, name) for name, v in given.items() if isinstance(v, int | float)]
            value, name = max(numbers, key=lambda each: abs(each[0]))
            raise UsageError(f"{name} {value}: {error.diag.message_primary}") from None


def _argument(name: str, kind: str, *, is_own_id: bool) -> str:
    if is_own_id and kind == "uuid":
        return f"pgsim.mbid_of(%({name})s::text)"
    if is_own_id:
        return (
            f"ARRAY(SELECT pgsim.mbid_of(i.id) FROM unnest(%({name})s::text[])"
            " WITH ORDINALITY AS i (id, place) ORDER BY i.place)"
        )
    # A vector says its type itself, whatever schema pgvector lives in.
    return f"%({name})s" if kind == "vector" else f"%({name})s::{kind}"


def _as_it_is(value: Any) -> Any:
    return value


def mbid_in(conn: Connection, named: Mbid) -> UUID:
    """Return an MBID as it is, or that of the recording with this own id."""
    if isinstance(named, UUID):
        return named
    try:
        if len(named) == len(str(UUID(int=0))):
            return mbid_of(named)
    except UsageError:
        pass
    mbid: UUID = one_value(conn, "SELECT pgsim.mbid_of(%s::text)", (named,))
    return mbid


def _named_recordings(conn: Connection, kind: str, value: Any) -> UUID | list[UUID]:
    """Return the MBIDs of recordings that an argument of that kind names, or of the one."""
    if kind == "uuid":
        return mbid_in(conn, value)
    return [mbid_in(conn, each) for each in ([value] if isinstance(value, UUID | str) else value)]


_K = Word("integer", "How many recordings, from 1 to 1000.", "10")
_K_GROUPS = Word("integer", "How many, from 1 to 1000.", "10")
_SEED = Word("uuid", "The recording to start from: its MBID, or own id.", names_recordings=True)
_SEEDS = Word("uuid[]", "The recordings to start from, likewise.", names_recordings=True)
_VECTOR = Word("vector", "A vector of the database's space.")
_PAIR = {
    "a": Word("uuid", "A recording's MBID, or own id.", names_recordings=True),
    "b": Word("uuid", "Another's.", names_recordings=True),
}

SIMILAR = Question(
    "similar_recordings", SimilarRecording, {"seed": _SEED, "k": _K}, words_of(Words)
)
HOW = Question("how_answered", Way, {"seed": _SEED, "k": _K}, words_of(Words))
NEAREST = Question(
    "nearest_recordings", SimilarRecording, {"query": _VECTOR, "k": _K}, words_of(Away)
)
SIMILAR_TO_ALL = Question(
    "similar_to_all",
    SimilarRecording,
    {"seeds": _SEEDS, "k": _K, "method": Word("text", "centroid or rank.", "'centroid'")},
    words_of(Away),
)
RADIO = Question(
    "radio",
    SimilarRecording,
    {"seeds": _SEEDS, "k": _K},
    words_of(Radio),
)
MATCHES = Question(
    "match_recordings",
    MatchedRecording,
    {"tracks": Word("jsonb", "Tracks of a playlist, as objects of JSPF.")},
)
EXPANSION = Question(
    "expand_playlist",
    SimilarRecording,
    {
        "mbids": Word(
            "uuid[]", "The recordings of a playlist, in its order.", names_recordings=True
        ),
        "k": Word("integer", "How many recordings, from 1 to 1000."),
    },
    words_of(Expanding),
)
PATH = Question(
    "similar_path",
    SimilarRecording,
    {
        "from_mbid": Word(
            "uuid", "The first recording: its MBID, or own id.", names_recordings=True
        ),
        "to_mbid": Word("uuid", "The last one, likewise.", names_recordings=True),
        "steps": Word("integer", "How many recordings, both ends included, from 2 to 200.", "25"),
    },
    words_of(Between),
)
BATCH = Question(
    "similar_recordings_batch", BatchRecording, {"seeds": _SEEDS, "k": _K}, words_of(Words)
)
SIMILAR_ARTISTS = Question(
    "similar_artists",
    SimilarArtist,
    {"artist": Word("text", "The artist: its MBID, or a name."), "k": _K_GROUPS},
    words_of(Groups),
)
SIMILAR_ALBUMS = Question(
    "similar_albums",
    SimilarAlbum,
    {
        "album": Word("text", "The title of the album."),
        "artist": Word("text", "Its artist: an MBID, or a name."),
        "k": _K_GROUPS,
    },
    words_of(Albums),
)
DISSIMILAR = Question(
    "dissimilar_recordings", SimilarRecording, {"seed": _SEED, "k": _K}, words_of(Filters)
)
STATISTICS = Question(
    "distance_statistics",
    Statistics,
    {"query": _VECTOR, "except_id": Word("integer", "A recording's id, to be left out.")},
    words_of(Filters),
)
DISTANCES = Question("recording_distances", MetricDistance, _PAIR)
EXPLANATION = Question("explain_similarity", SetShare, _PAIR)
FOUND = Question(
    "find_recordings",
    FoundRecording,
    {
        "words": Word("text", "Words of artist and title."),
        "k": _K,
        "artist": Word("text", "Words of the artist."),
        "title": Word("text", "Words of the title."),
    },
)
RATINGS = Question(
    "ratings", Rating, {"person": Word("text", "Whose verdicts; everybody's by default.")}
)
MAP = Question(
    "map_recordings",
    MapRecording,
    {
        "x_from": Word("double precision", "The least x, from -1."),
        "x_to": Word("double precision", "The greatest x, up to 1."),
        "y_from": Word("double precision", "The least y, from -1."),
        "y_to": Word("double precision", "The greatest y, up to 1."),
        "k": Word("integer", "How many recordings, from 1 to 100000.", "1000"),
    },
)
QUESTIONS: tuple[Question[Any], ...] = (
    SIMILAR, HOW, NEAREST, SIMILAR_TO_ALL, RADIO, PATH, MATCHES, EXPANSION, BATCH, SIMILAR_ARTISTS,
    SIMILAR_ALBUMS, DISSIMILAR, STATISTICS, DISTANCES, EXPLANATION, FOUND, RATINGS, MAP,
)  # fmt: skip


def rate(conn: Connection, seed: Mbid, answer: Mbid, verdict: int, by_whom: str) -> None:
    """Store a person's verdict on an answer."""
    conn.execute(
        "SELECT pgsim.rate(%s, %s, %s::integer, %s::text)",
        (mbid_in(conn, seed), mbid_in(conn, answer), verdict, by_whom),
    )


def recordings(conn: Connection, named: Mbids) -> Answer[Recording]:
    """Return what is stored about recordings, in the order in which they are named."""
    given = _named_recordings(conn, "uuid[]", named)
    cursor = conn.cursor(row_factory=class_row(Recording))
    query = (
        f"SELECT {', '.join(f'r.{each.name}' for each in fields(Recording))}"
        " FROM unnest(%s::uuid[]) WITH ORDINALITY AS s (mbid, place)"
        " INNER JOIN pgsim.recording AS r ON r.id = pgsim.recording_of(s.mbid) ORDER BY s.place"
    )
    return Answer(Recording, cursor.execute(query.encode(), (given,)).fetchall())


def seed_statistics(conn: Connection, seed: Mbid, words: SeedFilters) -> Statistics:
    """Return the statistics of what a question about a recording chooses from."""
    given: dict[str, Any] = dict(words)
    id_, vector, genre, decade = one_row(
        conn,
        "SELECT id, vector, genre, decade FROM pgsim.recording WHERE id = pgsim.recording_of(%s)",
        (mbid_in(conn, seed),),
    )
    if vector is None:
        raise PgsimError(f"recording {seed} has no vector")
    if given.pop("same_genre", False):
        given["genre"] = genre
    if given.pop("same_decade", False):
        given["decade"] = decade
    return STATISTICS.ask(conn, {"query": vector, "except_id": id_}, given)[0]
