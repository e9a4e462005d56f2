"""The words of a question as fields of a form: what a visitor filled in, and what to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgsim.errors import UsageError
from pgsim.questions.question import Question

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from pgsim.postgres.connection import Connection

K = "20"
TIMES = "times_"  # begins the name of a field that multiplies the weight of a feature set
_AS_IN_THE_PROFILE = "1"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value to choose, and what a page calls it."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class FeatureWeight:
    """A feature set, its weight in the profile, and what the visitor multiplies that by."""

    name: str
    weight: float
    times: str

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, by the words of the questions."""

    query: QueryParams
    genres: Sequence[Choice]
    decades: Sequence[Choice]
    sets: Sequence[FeatureWeight]

    @property
    def metrics(self) -> list[Choice]:
        return [Choice(each.name, each.label) for each in self.sets]

    @property
    def k(self) -> str:
        return self.value("k") or K

    def value(self, name: str) -> str:
        """Return what is filled in, or nothing."""
        return self.query.get(name, "")

    def words(self, question: Question[Any]) -> dict[str, Any]:
        """Return the words of a question that are filled in; UsageError for a weight of no number."""
        words: dict[str, Any] = {
            name: self.value(name) for name in question.words if self.value(name)
        }
        changed = [each for each in self.sets if each.times != _AS_IN_THE_PROFILE]
        if changed:
            words["weights"] = {each.name: each.weight * _number(each) for each in changed}
        return words


def _number(each: FeatureWeight) -> float:
    try:
        return float(each.times)
    except ValueError:
        raise UsageError(
            f"the weight of {each.name} is multiplied by '{each.times}', but must be by a number"
        ) from None


def read_form(conn: Connection, query: QueryParams) -> Form:
    """Return the form of a query, with what this collection lets one choose."""
    return Form(
        query,
        [
            Choice(genre, f"{genre} ({count:,})")
            for genre, count in conn.execute(
                "SELECT genre, count(*) FROM pgsim.recording"
                " WHERE genre IS NOT NULL AND vector IS NOT NULL"
                " GROUP BY genre ORDER BY count(*) DESC, genre"
            )
        ],
        [
            Choice(str(decade), f"{decade}s ({count:,})")
            for decade, count in conn.execute(
                "SELECT year - year % 10, count(*) FROM pgsim.recording"
                " WHERE year IS NOT NULL AND vector IS NOT NULL GROUP BY 1 ORDER BY 1"
            )
        ],
        [
            FeatureWeight(name, weight, query.get(f"{TIMES}{name}") or _AS_IN_THE_PROFILE)
            for name, weight in conn.execute(
                "SELECT name, weight FROM pgsim.feature_set"
                " WHERE center IS NOT NULL ORDER BY position"
            )
        ],
    )
