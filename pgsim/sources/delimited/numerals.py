"""How the numbers of a column are written: decimal commas, groups of thousands, units.

A column is judged as a whole: 1,234 and 1.234 alone may each be a thousand or a fraction.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pgsim.sources.delimited.kinds import kind_of

_BLANKS = " \u00a0\u2009\u202f"
_QUOTES = "'’"
# Units by what they measure, each with its factor; the first one is the unit that is kept. Lengths
# have their own reader, which knows 3:45 too.
_UNITS = {
    "bpm": {"bpm": 1, "b.p.m.": 1, "beats per minute": 1, "beats/min": 1},
    "%": {"%": 1, "percent": 1, "per cent": 1},
    "dB": {"db": 1, "dbfs": 1, "dbtp": 1, "dba": 1},
    "LUFS": {"lufs": 1, "lkfs": 1},
    "Hz": {"hz": 1, "khz": 1000},
    "cents": {"cents": 1, "cent": 1, "semitones": 100, "semitone": 100},
    "kbps": {"kbps": 1, "kbit/s": 1, "kb/s": 1},
}
_FACTORS = {
    unit: (kept, factor) for kept, units in _UNITS.items() for unit, factor in units.items()
}
_ANY_UNIT = "|".join(map(re.escape, sorted(_FACTORS, key=len, reverse=True)))
_WITH_UNIT = re.compile(rf"(?P<number>.*[0-9.])\s*(?P<unit>{_ANY_UNIT})", re.IGNORECASE)
# So many different numbers in groups are needed where they may also be lists, such as 3,120.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Numerals:
    """How numbers are written: what groups their thousands, begins fractions, and the unit kept."""

    group: str = ""
    decimal: str = "."
    unit: str = ""

    @property
    def is_plain(self) -> bool:
        """Return whether the numbers are written as computers write them."""
        return self == Numerals()

    def plain(self, cell: str) -> str | None:
        """Return a number as computers write it, in the unit that is kept; None if it is none."""
        text, factor = cell.strip(), 1
        if self.unit and (found := _WITH_UNIT.fullmatch(text)):
            kept, factor = _FACTORS[found["unit"].lower()]
            text = found["number"].strip()
            if kept != self.unit:
                return None
        if not _form(self.group, self.decimal).fullmatch(text):
            return None
        for sign in self.group:
            text = text.replace(sign, "")
        text = text.replace(self.decimal, ".")
        return text if factor == 1 else repr(float(text) * factor)

    def written(self, cell: str) -> str:
        """Return a cell with its number as computers write it; itself where it holds none."""
        plain = self.plain(cell) if cell else None
        return cell if plain is None else plain


_POINT, _GERMAN, _ENGLISH = Numerals(), Numerals(".", ","), Numerals(",", ".")
_QUOTED = [Numerals(_QUOTES, sign) for sign in ".,"]
_BLANK = [Numerals(_BLANKS, sign) for sign in ".,"]


@lru_cache
def _form(group: str, decimal: str) -> re.Pattern[str]:
    groups = rf"[1-9][0-9]{{0,2}}(?:[{re.escape(group)}][0-9]{{3}})+|" if group else ""
    sign = re.escape(decimal)
    return re.compile(
        rf"[+-]?(?:(?:{groups}[0-9]+)(?:{sign}[0-9]*)?|{sign}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    )


def numerals_of(
    columns: Sequence[Iterable[str]], is_comma_separated: bool = False
) -> dict[int, Numerals]:
    """Return the columns, counted from 0, whose numbers computers write otherwise, and how.

    A column is left as it is where it is not sure: 1,234 and nothing else, or 0,5 beside columns
    with decimal points. Between commas, 0,5 may be a list of two.
    """
    found: dict[int, Numerals] = {}
    unsure: dict[int, tuple[list[Numerals], str]] = {}
    has_points = has_commas = False
    for place, column in enumerate(columns):
        cells, unit = _without_units(list(dict.fromkeys(map(str.strip, filter(kind_of, column)))))
        readings = _readings(cells)
        if len(readings) != 1:
            unsure[place] = readings, unit
            continue
        [reading] = readings
        is_sure = reading != _GERMAN or any("." in cell and "," in cell for cell in cells)
        if not is_sure and is_comma_separated:
            continue
        has_points |= reading in (_POINT, _ENGLISH)
        has_commas |= reading == _GERMAN
        if is_sure:
            found[place] = replace(reading, unit=unit)
        else:
            unsure[place] = [_GERMAN], unit
    for place, (readings, unit) in unsure.items():
        if has_commas and not has_points and _GERMAN in readings:
            found[place] = replace(_GERMAN, unit=unit)
        elif _ENGLISH in readings and _POINT not in readings and (has_points or is_comma_separated):
            found[place] = replace(_ENGLISH, unit=unit)
        elif _POINT in readings:
            found[place] = replace(_POINT, unit=unit)
    return {place: each for place, each in sorted(found.items()) if not each.is_plain}


def _without_units(cells: list[str]) -> tuple[list[str], str]:
    """Return the cells without their units, and the one kept, if all have one of the same kind."""
    found = [_WITH_UNIT.fullmatch(cell) for cell in cells]
    kept = {_FACTORS[each["unit"].lower()][0] for each in found if each}
    if len(kept) != 1 or not all(found):
        return cells, ""
    return [each["number"].strip() for each in found if each], kept.pop()


def _readings(cells: Sequence[str]) -> list[Numerals]:
    """Return the ways in which these cells are numbers: several if they are not sure, or none."""
    if not cells:
        return []
    possible = [each for each in (_POINT, _GERMAN, _ENGLISH) if _fits(each, cells)]
    if _POINT in possible:
        has_fractions = any("." in cell for cell in cells)
        return [each for each in possible if each != _ENGLISH or not has_fractions]
    if possible:
        is_list = possible == [_ENGLISH, _GERMAN] and len(cells) < _FEWEST
        return [] if is_list else possible
    quoted, blank = ([e for e in each if _fits(e, cells)] for each in (_QUOTED, _BLANK))
    return quoted[:1] or (blank[:1] if _are_groups(cells) else [])


def _fits(each: Numerals, cells: Sequence[str]) -> bool:
    return all(map(_form(each.group, each.decimal).fullmatch, cells))


def _are_groups(cells: Sequence[str]) -> bool:
    """Return whether blanks group thousands, and do not separate the numbers of a list."""
    has_others = any(set(_BLANKS[1:]) & {*cell} for cell in cells)
    has_fractions = any({".", ","} & {*cell} for cell in cells)
    return has_others or has_fractions or len({cell.count(" ") for cell in cells}) > 1
