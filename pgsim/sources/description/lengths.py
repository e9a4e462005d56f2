"""Which column of a table is the recordings' length, and in which unit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pgsim.features.profile import UNITS
from pgsim.sources.cells import seconds_of
from pgsim.sources.description import words
from pgsim.sources.description.column import Column

# The median length of a collection, in seconds, lies between these: a sample of an instrument, and
# a disc jockey's set.
_SHORT, _LONG = 0.2, 4 * 3600
# Bare numbers with a median above these are taken for milliseconds, for microseconds, and so on.
# Clips that were cut to one of these lengths, in seconds, are counted in samples at one of these
# rates; the more usual ones come first.
_CLIPS = (30, 3, 10, 5, 60, 1, 29, 4)
_RATES = (44100, 22050, 48000, 16000, 32000, 11025, 8000)
# Songs of so many seconds would be too short: fractions between these are minutes.
_FEWEST_MINUTES, _MOST_MINUTES = 1.0, 15.0
_ABOVE = (("nanoseconds", 3e9), ("microseconds", 3e7), ("milliseconds", 3600 * 3))

_MINUTES = "minutes, by its numbers"


@dataclass
class Length:
    """The columns that are lengths, the first one chosen, and what is said of it."""

    columns: list[Column] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Return the name of the chosen column."""
        return set(self.named.values())


def length_of_columns(columns: Sequence[Column]) -> Length:
    """Return the length among the columns; the one that names its unit comes first."""
    units = {column.name: words.unit_of_length(column.name) for column in columns}
    lengths = [
        column
        for column in columns
        if units[column.name] is not None and column.filled and _are_lengths(column)
    ]
    lengths.sort(key=lambda column: (not units[column.name], units[column.name] == "samples"))
    found = Length(lengths)
    if not lengths:
        return found
    chosen = lengths[0]
    found.named["length"] = chosen.name
    rate = next((each for each in columns if words.plain(each.name) in words.RATES), None)
    unit, why = _unit_of(chosen, units[chosen.name] or "", rate)
    if unit is None:
        found.odd.append(why)
        return found
    factor = float(unit.split()[0]) if unit.endswith(" Hz") else UNITS[unit]
    seconds = np.array(
        [
            value
            for value in (seconds_of(cell, factor) for cell in chosen.cells)
            if isinstance(value, int | float)
        ]
    )
    if unit != "seconds":
        found.options["length_unit"] = unit
    median = float(np.median(seconds)) if len(seconds) else 0.0
    found.remarks["length"] = f"{why}; the median is {median:.4g} s"
    if why == _MINUTES:
        found.odd.append(
            f"{chosen.name!r}: taken for minutes, since few songs last {median / 60:.4g} seconds;"
            " if these are clips: length_unit = 'seconds' in [columns]"
        )
    if len(seconds) < len(chosen.cells):
        lacking = len(chosen.cells) - len(seconds)
        found.odd.append(f"{chosen.name!r}: {lacking} of {len(chosen.cells)} rows have no length")
    if not _SHORT <= median <= _LONG:
        found.odd.append(
            f"{chosen.name!r}: half of the recordings would be longer than {median:.4g} s: is that"
            " their unit?"
        )
    return found


def _are_lengths(column: Column) -> bool:
    values = [seconds_of(cell) for cell in column.cells]
    there = [value for value in values if value is not None]
    numbers = [value for value in there if isinstance(value, int | float)]
    if words.plain(column.name) == "time" and column.numbers is not None:
        return False  # when, rather than how long
    return len(numbers) * 2 > len(there) and min(numbers) >= 0


def _unit_of(column: Column, named: str, rate: Column | None) -> tuple[str | None, str]:
    """Return the unit of a length, and why; None and what is to be done if it cannot be known."""
    single = column.single
    if single is None:
        return "seconds", "minutes and seconds, as in 3:45"
    median = float(np.nanmedian(single))
    rates = set() if rate is None or rate.single is None else set(rate.single.tolist())
    if named == "samples" or (not named and rates and median > 1e5):
        if len(rates) == 1 and rates <= {float(each) for each in range(1000, 1_000_000)}:
            return f"{int(rates.pop())} Hz", f"samples, by the column {rate.name!r}" if rate else ""
        return None, (
            f"{column.name!r}: samples or frames; write their rate as length_unit = '44100 Hz', or"
            " leave the length out"
        )
    if named:
        return named, f"{named}, by its name"
    if clip := _rate_of_clips(single):
        return f"{clip} Hz", f"samples at {clip} Hz: all clips have the same whole seconds then"
    for unit, least in _ABOVE:
        if median > least:
            return unit, f"{unit}, by its numbers"
    if _are_minutes(single):
        if _may_be_clock(column):
            return None, (
                f"{column.name!r}: 3.45 may be minutes and seconds, 3:45, or 3.45 minutes; write"
                " 3:45, or say length_unit = 'minutes' or 'seconds' in [columns]"
            )
        return "minutes", _MINUTES
    return "seconds", "seconds, by its numbers"


def _are_minutes(lengths: NDArray[np.float64]) -> bool:
    """Return whether lengths are those of songs in minutes: most are fractions, and they differ.

    Clips that were cut are alike.
    """
    there = lengths[~np.isnan(lengths)]
    median = float(np.median(there))
    are_alike = np.mean(np.abs(there - median) <= 0.02 * median) > 0.5
    are_fractions = np.mean(there % 1 != 0) > 0.5
    return _FEWEST_MINUTES <= median <= _MOST_MINUTES and bool(are_fractions and not are_alike)


def _may_be_clock(column: Column) -> bool:
    """Return whether what follows the point can be seconds: two digits, none above 59."""
    fractions = [text.partition(".")[2] for text in column.filled if "." in text]
    return len(set(fractions)) > 5 and all(
        len(each) == 2 and each.isdecimal() and int(each) < 60 for each in fractions
    )


def _rate_of_clips(lengths: NDArray[np.float64]) -> int | None:
    """Return the sample rate at which nearly equal lengths are those of clips; None if none is.

    GTZAN's 30 s are 661,794 samples. Milliseconds are multiples of 1,000 then.
    """
    there = lengths[~np.isnan(lengths)]
    median = float(np.median(there))
    are_alike = len(there) > 1 and np.mean(np.abs(there - median) <= 0.02 * median) > 0.9
    if not are_alike or median < 8000 or median % 1000 == 0 or np.any(there % 1):
        return None
    return next(
        (rate for clip in _CLIPS for rate in _RATES if abs(median - clip * rate) <= 0.001 * median),
        None,
    )
