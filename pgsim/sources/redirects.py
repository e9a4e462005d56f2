"""Old MBIDs and what replaced them, from a text of lines: which column is which, and the pairs."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from pgsim.errors import PgsimError
from pgsim.sources.streams.parts import Part

_MBID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.I)
_ROW = re.compile("[0-9]{1,10}")
_BETWEEN = re.compile(rf'{_MBID.pattern}"? *([,;|\t ])|([,;|\t ]) *"?{_MBID.pattern}', re.I)
# What the names of columns say. A preposition says it alone: `merged_into`, `redirected_from`.
_FROM, _TO = {"from"}, {"to", "into"}
_OLD = {
    "old",
    "source",
    "src",
    "previous",
    "former",
    "obsolete",
    "deprecated",
    "duplicate",
    "before",
}
_NEW = {
    *("new", "target", "dest", "destination", "canonical", "current", "replacement", "survivor"),
    *("kept", "after", "resolved"),
}
_WEAK_NEW = {"redirect"}  # `mbid,redirect`, but also `redirect_source`
_OTHERS = {"release", "artist", "work", "label", "area", "place", "event", "series", "url"}


class RedirectError(PgsimError):
    """A fault in a file of redirects: its line, what is wrong there, and the cure."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The pairs of a part: `each` old MBID and what replaced it, as the file has them.

    That is an MBID, or where `are_rows` the number of a row of MusicBrainz's table `recording`.
    """

    are_rows: bool
    each: Iterator[tuple[str, str]]


def read_pairs(part: Part) -> Pairs:
    """Return the pairs of a text whose cells are separated by a comma, semicolon, tab, | or blanks.

    The first line may name the columns, in any order; without names a line is old,new. Empty lines,
    and those that begin with #, are left out. RedirectError where nothing says which column is old.
    """
    lines = _lines(part)
    header, first = "", next(lines, None)
    if first is not None and not _MBID.search(first[1]):
        (_, header), first = first, next(lines, None)
    if first is None:
        return Pairs(False, iter(()))
    separator = _separator(part, *first)
    cells = _cells(first[1], separator)
    if header:
        old, new = _named(part, _cells(header, separator), cells)
    else:
        old, new = _placed(part, first, cells)
    are_rows = not _is_mbid(cells[new])
    return Pairs(are_rows, _pairs(part, chain([first], lines), separator, (old, new), are_rows))


def _pairs(
    part: Part,
    lines: Iterator[tuple[int, str]],
    separator: str,
    places: tuple[int, int],
    are_rows: bool,
) -> Iterator[tuple[str, str]]:
    old_place, new_place = places
    is_new = _ROW.fullmatch if are_rows else _MBID.fullmatch
    for number, line in lines:
        cells = _cells(line, separator)
        if len(cells) > max(places):
            old, new = cells[old_place], cells[new_place]
            if _MBID.fullmatch(old) and is_new(new):
                yield old, new
                continue
        raise _not_a_pair(part, number, line)


def _lines(part: Part) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line that is neither empty nor a comment."""
    encoding = "utf-8-sig"
    for number, line in enumerate(part.lines(), 1):
        try:
            text = line.decode(encoding).strip("\r\n ")
        except UnicodeDecodeError as error:
            raise RedirectError(
                f"{part.name}:{number}: not UTF-8: {error.reason}; if the file is compressed, its"
                " name has to end in .gz, .bz2, .xz or .zst"
            ) from None
        encoding = "utf-8"
        if text.strip() and text[0] != "#":
            yield number, text


def _separator(part: Part, number: int, line: str) -> str:
    found = _BETWEEN.search(line)
    if found is None:
        raise _not_a_pair(part, number, line)
    return found[1] or found[2]


def _cells(line: str, separator: str) -> list[str]:
    """The cells of a line; a quotation mark that is not closed ends with the line."""
    if separator == " ":
        return [cell.strip('"') for cell in line.split()]
    if '"' not in line:  # in half the time
        return [cell.strip() for cell in line.split(separator)]
    rows = csv.reader((line,), delimiter=separator, skipinitialspace=True)
    try:
        return [cell.strip() for cell in next(rows)]
    except csv.Error:
        return []


def _placed(part: Part, first: tuple[int, str], cells: Sequence[str]) -> tuple[int, int]:
    """The places of old and new in a text without names: the first two MBIDs, or MBID and row."""
    mbids = [place for place, cell in enumerate(cells) if _is_mbid(cell)]
    if len(mbids) > 1:
        return mbids[0], mbids[1]
    if mbids and len(cells) > mbids[0] + 1 and _ROW.fullmatch(cells[mbids[0] + 1]):
        return mbids[0], mbids[0] + 1
    raise _not_a_pair(part, *first)


def _named(part: Part, names: Sequence[str], cells: Sequence[str]) -> tuple[int, int]:
    """The places of old and new, by the columns' names; `cells` decides which are possible."""
    old: list[int] = []
    new: list[int] = []
    unknown: list[int] = []
    others: list[str] = []
    for place, (name, cell) in enumerate(zip(names, cells, strict=False)):
        words = set(re.findall("[a-z]+", re.sub("(?<=[a-z])(?=[A-Z])", " ", name).lower()))
        is_new = _says_new(words)
        if words & _OTHERS:
            others.append(name)
        elif is_new and (_is_mbid(cell) or _ROW.fullmatch(cell)):
            new.append(place)
        elif _is_mbid(cell):
            (unknown if is_new is None else old).append(place)
    if len(old) + len(unknown) == len(new) == 1:
        return (old or unknown)[0], new[0]
    if len(old) == len(unknown) == 1 and not new:
        return old[0], unknown[0]
    if others and len(old) + len(new) + len(unknown) < 2:
        raise RedirectError(
            f"{part.name}: its columns {', '.join(others)} are not of recordings: name a file with"
            " two MBIDs of recordings a line"
        )
    raise RedirectError(
        f"{part.name}: its header {', '.join(names)!r:.200} does not tell which column has the old"
        " MBID and which the new one: name them old and new"
    )


def _says_new(words: set[str]) -> bool | None:
    """Return whether a column's name means the new MBID; None if it means neither old nor new."""
    for old, new in ((_FROM, _TO), (_OLD, _NEW), (set[str](), _WEAK_NEW)):
        if bool(words & old) != bool(words & new):
            return bool(words & new)
    return None


def _is_mbid(cell: str) -> bool:
    return _MBID.fullmatch(cell) is not None


def _not_a_pair(part: Part, number: int, line: str) -> RedirectError:
    return RedirectError(
        f"{part.name}:{number}: {line!r:.80} is not a pair of MBIDs: a line is old,new; nothing was"
        " loaded"
    )
