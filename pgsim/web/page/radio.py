"""The addresses of a radio's page: what is liked, disliked and heard lies in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from pgsim.web.page.shown import Shown

HEARD = 200  # the last ones, so that the address stays short enough for every proxy
_LISTS = ("seed", "dislike", "played")


@dataclass(frozen=True, slots=True)
class Radio:
    """A radio's query, and the queries that follow from it."""

    query: QueryParams

    def named(self, name: str) -> list[str]:
        """Return the recordings that the query names as seed, dislike or played, each once."""
        return list(dict.fromkeys(self.query.getlist(name)))

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The fields that the form keeps: all recordings."""
        return [(name, each) for name in _LISTS for each in self.named(name)]

    def more_like(self, row: Shown) -> str:
        """Return the query of a radio that starts from this recording, too."""
        return self._with(*self._but(row), ("seed", row.mbid))

    def less_like(self, row: Shown) -> str:
        """Return the query of a radio that moves away from this recording."""
        return self._with(*self._but(row), ("dislike", row.mbid))

    def without(self, row: Shown) -> str:
        """Return the query of a radio that knows nothing of this recording."""
        return self._with(*self._but(row))

    def go_on(self, rows: Iterable[Shown]) -> str:
        """Return the query for what comes after these rows."""
        heard = [*self.named("played"), *(row.mbid for row in rows)][-HEARD:]
        others = [(name, each) for name, each in self._items() if name != "played"]
        return self._with(*others, *(("played", each) for each in heard))

    def _items(self) -> list[tuple[str, str]]:
        return [(name, each) for name, each in self.query.multi_items() if each]

    def _but(self, row: Shown) -> list[tuple[str, str]]:
        return [(name, each) for name, each in self._items() if each != row.mbid]

    def _with(self, *items: tuple[str, str]) -> str:
        return f"?{urlencode(items)}"
