"""The map as a page: what is in view, the addresses of its neighbours, and what a colour means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pgsim.questions.words import Word
from pgsim.web.page.form import Choices
from pgsim.web.values import value_of

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

DEEPEST = 20  # zoom, at which a millionth of the map's width is in view
IN_VIEW = 20  # recordings of the list below the map
_NUMBER = Word("double precision", "A number.")
_GENRES, _DECADES = 11, 10  # colours of the style sheet: c0 to c10, s0 to s9
_OTHER = "c11"


@dataclass(frozen=True, slots=True)
class Colour:
    """What a colour of the style sheet means; the value of all others is empty."""

    value: str
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class View:
    """The middle of what is in view, from -1 to 1, and the zoom: at 0 the whole map is in view."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 0.0
    colour: str = "genre"

    @property
    def half(self) -> float:
        """Half of the width that is in view."""
        return float(0.5**self.zoom)

    @property
    def rectangle(self) -> dict[str, float]:
        """The bounds of what is in view, as map_recordings() takes them."""
        return {
            "x_from": self.x - self.half,
            "x_to": self.x + self.half,
            "y_from": self.y - self.half,
            "y_to": self.y + self.half,
        }

    def url(self, **changed: Any) -> str:
        """Return the address of this view with changes."""
        query = {"x": self.x, "y": self.y, "zoom": self.zoom, "colour": self.colour, **changed}
        return f"?{urlencode(query)}"

    @property
    def steps(self) -> dict[str, str]:
        """The addresses of the views beside this one, by what a link calls them."""
        return {
            "closer": self.url(zoom=min(DEEPEST, self.zoom + 1)),
            "farther": self.url(zoom=max(0, self.zoom - 1)),
            "left": self.url(x=max(-1, self.x - self.half)),
            "right": self.url(x=min(1, self.x + self.half)),
            "up": self.url(y=min(1, self.y + self.half)),
            "down": self.url(y=max(-1, self.y - self.half)),
        }


def read_view(query: QueryParams, around: Mapping[str, float] | None) -> View:
    """Return the view of a query; Problem for what is no number. `around` is its middle."""
    given = {
        name: value_of(name, _NUMBER, query[name]) for name in ("x", "y", "zoom") if query.get(name)
    }
    if around is not None:
        given = {"zoom": 4.0, **given, **around}
    given = {
        name: max(0.0, min(DEEPEST, value)) if name == "zoom" else max(-1.0, min(1.0, value))
        for name, value in given.items()
    }
    return View(**given, colour="decade" if query.get("colour") == "decade" else "genre")


def legend(choices: Choices, colour: str) -> list[Colour]:
    """Return what the colours mean: the most frequent genres, or the last decades."""
    if colour == "genre":
        known, styles = choices.genres[:_GENRES], [f"c{n}" for n in range(_GENRES)]
    else:
        known = choices.decades[-_DECADES:]
        apart = (_DECADES - 1) // max(1, len(known) - 1)
        styles = [f"s{n}" for n in range(0, _DECADES, apart)]
    found = [
        Colour(each.value, each.label, style) for each, style in zip(known, styles, strict=False)
    ]
    return [*found, Colour("", "another, or unknown", _OTHER)]
