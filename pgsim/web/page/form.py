"""The words of a question as fields of a form: what is filled in, and what to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pgsim.questions.question import Question
from pgsim.questions.words import Word
from pgsim.web.collection import LISTS
from pgsim.web.values import value_of

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from pgsim.web.reader import Reader

LENGTHS = {"k": "20", "steps": "10"}  # how many recordings an answer has, unless a visitor says
TIMES = "times_"  # begins the name of a field that multiplies the weight of a feature set
_AS_IN_THE_PROFILE = "1"
_FACTOR = Word("double precision", "What the weight of the profile is multiplied by.")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value to choose, and what a page calls it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What a collection lets one choose: genres, decades, and feature sets with their weights."""

    genres: Sequence[Choice]
    decades: Sequence[Choice]
    weights: Mapping[str, float]

    @property
    def metrics(self) -> list[Choice]:
        return [Choice(name, label(name)) for name in self.weights]


def label(name: str) -> str:
    """Return the name of a feature set as a page writes it."""
    return name.replace("_", " ")


async def read_choices(reader: Reader) -> Choices:
    """Return what this collection lets one choose, the most frequent genre first."""
    genres, decades, sets = [
        (await reader.found(LISTS[path][1])).rows() for path in ("/genres", "/decades", "/sets")
    ]
    return Choices(
        [Choice(row["genre"], f"{row['genre']} ({row['recordings']:,})") for row in genres],
        [
            Choice(str(row["decade"]), f"{row['decade']}s ({row['recordings']:,})")
            for row in decades
        ],
        {row["name"]: row["weight"] for row in sets if row["fitted"]},
    )


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, by the words of the questions."""

    query: QueryParams
    choices: Choices

    def value(self, name: str) -> str:
        """Return what is filled in, or what holds without it."""
        return self.query.get(name) or LENGTHS.get(name, "")

    def times(self, name: str) -> str:
        """Return what the weight of a set is multiplied by."""
        return self.query.get(f"{TIMES}{name}") or _AS_IN_THE_PROFILE

    def given(self, question: Question[Any]) -> dict[str, Any]:
        """Return the words that are filled in, for SQL; Problem for one that is no value."""
        given = {
            name: value_of(name, question.first[name], self.value(name))
            for name in LENGTHS
            if name in question.first
        }
        for name, word in question.words.items():
            if self.value(name):
                given[name] = value_of(name, word, self.value(name))
        factors = {name: self.times(name) for name in self.choices.weights}
        changed = {
            name: value_of(f"{TIMES}{name}", _FACTOR, factor) * self.choices.weights[name]
            for name, factor in factors.items()
            if factor != _AS_IN_THE_PROFILE
        }
        if changed and "weights" in question.words:
            given["weights"] = orjson.dumps(changed).decode()
        return given
