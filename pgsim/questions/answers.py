"""The rows of answers, and the answer that holds them: it prints well and becomes a data frame."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from html import escape
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

from pgsim.table import are_numbers, cell, text_table

_SHOWN = 50  # rows of an answer that are printed
_NARROWEST = 100  # columns of a printed answer, however narrow the terminal is


@dataclass(frozen=True, slots=True)
class SimilarRecording:
    """A recording of an answer: its rank from 1, its distance, and its similarity from 0 to 1."""

    rank: int
    mbid: UUID
    artist: str | None
    title: str | None
    album: str | None
    year: int | None
    genre: str | None
    distance: float
    similarity: float


@dataclass(frozen=True, slots=True)
class BatchRecording:
    """A recording of the answer to one of many seeds.

    Where a seed has no answer, `problem` says why, and all but `seed` is None.
    """

    seed: UUID
    rank: int | None
    mbid: UUID | None
    artist: str | None
    title: str | None
    album: str | None
    year: int | None
    genre: str | None
    distance: float | None
    similarity: float | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class SimilarArtist:
    """An artist of an answer, with its share of the lists and the nearest pair of recordings."""

    rank: int
    artist: str | None
    artist_mbid: UUID | None
    similarity: float
    share: float
    recordings: int
    own_mbid: UUID
    similar_mbid: UUID
    distance: float


@dataclass(frozen=True, slots=True)
class SimilarAlbum:
    """An album of an answer, with its share of the lists and the nearest pair of recordings."""

    rank: int
    album: str
    artist: str | None
    year: int | None
    similarity: float
    share: float
    recordings: int
    own_mbid: UUID
    similar_mbid: UUID
    distance: float


@dataclass(frozen=True, slots=True)
class FoundRecording:
    """A recording found by words: its rank from 1, and its score from 0 to 1."""

    rank: int
    mbid: UUID
    artist: str | None
    title: str | None
    album: str | None
    year: int | None
    score: float
    source_id: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """The stored metadata of a recording: `source_id` is its own id, in the source it came from."""

    mbid: UUID
    artist: str | None
    artist_mbids: list[UUID] | None
    title: str | None
    album: str | None
    year: int | None
    length: float | None
    genre: str | None
    source_id: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class MapRecording:
    """A recording on the map: `x` and `y`, its place, are from -1 to 1."""

    mbid: UUID
    x: float
    y: float
    title: str | None
    artist: str | None
    genre: str | None
    year: int | None


@dataclass(frozen=True, slots=True)
class MetricDistance:
    """The distance of two recordings by one metric; None where one of them lacks its set."""

    metric: str
    distance: float | None
    similarity: float | None
    missing: bool


@dataclass(frozen=True, slots=True)
class SetShare:
    """One feature set's share of the squared distance of two recordings, and why."""

    feature_set: str
    distance: float
    share: float
    missing: bool
    explanation: str | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The distances of all recordings that a question chooses from; None where there is none."""

    candidates: int
    mean: float | None
    deviation: float | None
    p95: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class MatchedRecording:
    """The recording that a track of a playlist is, and how it was found; None where none is.

    `place` is that of the track, from 1.
    """

    place: int
    mbid: UUID | None
    matched_by: str | None
    artist: str | None
    title: str | None
    album: str | None
    has_vector: bool | None


@dataclass(frozen=True, slots=True)
class Rating:
    """One person's verdict on one answer: 1 where it sounds like the seed, else -1.

    A recording that was deleted since has no artist and no title.
    """

    seed: UUID
    answer: UUID
    verdict: int
    by_whom: str
    rated_at: datetime
    seed_artist: str | None
    seed_title: str | None
    answer_artist: str | None
    answer_title: str | None


@dataclass(frozen=True, slots=True)
class Way:
    """The way to an answer: list, index, scan or rerank; `how_answered()` of SQL explains it.

    `matching` is None where nobody counted, `pending` where too many changes wait to be merged.
    """

    way: str
    candidates: int
    fetched: int
    matching: int | None
    pending: int | None


@dataclass(frozen=True, slots=True)
class StatusItem:
    """One fact about a database; `number` is a count, or a size in bytes."""

    item: str
    value: str | None
    number: int | None


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """One slice of the vectors, as the database's profile defines it."""

    name: str
    length: int
    transform: str
    aggregate: str
    weight: float
    fitted: bool


Row = TypeVar("Row")
RowOut = TypeVar("RowOut", covariant=True)


class Answer(Sequence[RowOut], Generic[RowOut]):
    """The rows of an answer in their order, an immutable sequence of dataclasses.

    It prints as a table, in a notebook too. `pandas.DataFrame(answer)` and
    `polars.DataFrame(answer)` make a data frame of it. `columns` are the names of the rows' fields,
    of an empty answer too.
    """

    __slots__ = ("_kind", "_rows", "columns")

    def __init__(self, kind: Callable[..., RowOut], rows: Iterable[RowOut]) -> None:
        self._kind, self._rows = kind, tuple(rows)
        self.columns: tuple[str, ...] = tuple(each.name for each in fields(kind))  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> RowOut: ...
    @overload
    def __getitem__(self, index: slice) -> "Answer[RowOut]": ...
    def __getitem__(self, index: int | slice) -> "RowOut | Answer[RowOut]":
        if isinstance(index, slice):
            return Answer(self._kind, self._rows[index])
        return self._rows[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Answer):
            return NotImplemented
        return self._kind is other._kind and self._rows == other._rows

    def __hash__(self) -> int:
        return hash((self._kind, self._rows))

    def __repr__(self) -> str:
        width = max(shutil.get_terminal_size((_NARROWEST, 0)).columns, _NARROWEST)
        return "\n".join([text_table(self.columns, self._values(), width), *self._more()])

    def _repr_html_(self) -> str:
        values = self._values()
        right = [are_numbers(column) for column in zip(*values, strict=True)]
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>{}</tr>".format(
                "".join(
                    f'<td style="text-align: {"right" if is_right else "left"}">'
                    f"{escape(cell(value))}</td>"
                    for value, is_right in zip(row, right, strict=True)
                )
            )
            for row in values
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return table + "".join(f"<p>{escape(line)}</p>" for line in self._more())

    def _values(self) -> list[tuple[Any, ...]]:
        return [astuple(row) for row in self._rows[:_SHOWN]]  # type: ignore[call-overload]

    def _more(self) -> list[str]:
        rest = len(self) - _SHOWN
        return [f"… and {rest} more rows"] if rest > 0 else []
