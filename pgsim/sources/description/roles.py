"""Which column of a table is a recording's id, title, length and so on, and which are features."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pgsim.sources.cells import is_interval
from pgsim.sources.description import words
from pgsim.sources.description.column import Column
from pgsim.sources.description.identity import Identity, identity_of
from pgsim.sources.description.lengths import Length, length_of_columns
from pgsim.sources.metadata import has_short_year, year_of

# Texts that say nothing in a column of texts where they stand more than once.
_MARKS = frozenset(
    """nan none null na n/a nil missing unknown <unknown> ? - -- undefined""".split()
) | {"unknown artist", "not available"}
# What can stand between the labels or artists of one cell; `;` always separates labels.
_BETWEEN_LABELS, _BETWEEN_ARTISTS = ",|/\\", ";|"
# Numbers that programs write for a missing value.
_SENTINELS = frozenset((-99, -999, -9999, 999999))


@dataclass
class Roles:
    """The role of each column: `named` by the keys of [columns], with a remark on some.

    `is_of_frames` says that the rows of one id are frames of it. `options` has the other keys of
    [columns]. `left_out` has a reason for each column of numbers
    that is no feature, `features` the others, and `odd` what a person should look at.
    """

    named: dict[str, str | list[str]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    options: dict[str, str | list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    features: list[Column] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    is_of_frames: bool = False


def roles_of(columns: Sequence[Column]) -> Roles:
    """Return what the columns of a table are for."""
    roles = Roles()
    texts = _texts(columns)
    length = length_of_columns(columns)
    taken = {column.name for column in texts.values()} | {each.name for each in length.columns}
    identity = identity_of(columns, texts, taken)
    roles.named = {
        **identity.named,
        **{key: column.name for key, column in texts.items()},
        **length.named,
    }
    roles.remarks = identity.remarks | length.remarks
    roles.options = {**length.options, **dict(_separators(texts))}
    if marks := _marks(columns, texts):
        roles.options["nothing"] = marks
    roles.is_of_frames = bool(identity.frames)
    roles.left_out = dict(_left_out(columns, texts, identity, length))
    used = {*roles.left_out, *taken, *identity.names}
    roles.features = [
        each for each in columns if each.name not in used and each.numbers is not None
    ]
    years = [texts[key] for key in ("year", "date") if key in texts]
    roles.odd = [*identity.odd, *length.odd, *_odd_years(years), *_odd(columns, roles)]
    return roles


def _texts(columns: Sequence[Column]) -> dict[str, Column]:
    """Return the columns of title, artist, album, year, date, genre, popularity and url."""
    by_name = words.by_name(columns)
    found: dict[str, Column] = {}
    for key, names in words.KNOWN.items():
        for name in names:
            column = by_name.get(name)
            if column and column not in found.values() and _can_be(key, name, column):
                found[key] = column
                break
    if "year" not in found:
        unnamed = [column for column in columns if _is_unnamed_year(column)]
        found |= {"year": unnamed[0]} if unnamed else {}
    return found


def _is_unnamed_year(column: Column) -> bool:
    """Return whether a column that the reader had to name has years alone."""
    if not column.name.startswith(("column_", "unnamed_")):
        return False
    is_unnamed = re.fullmatch("(?:column|unnamed)_[0-9]+", column.name) is not None
    if not is_unnamed or not column.are_whole or column.distinct < 3:
        return False
    return all((year_of(text) or 0) >= 1900 for text in column.filled)


def _can_be(key: str, name: str, column: Column) -> bool:
    """Return whether the cells of a column are what its name says."""
    if not column.filled or column.is_of_mbids or (key == "title" and column.is_of_files):
        return False
    if _MARKS.issuperset(map(str.lower, column.filled)):
        return False
    if key == "popularity":
        return column.numbers is not None and not column.is_constant
    if key in ("year", "date"):
        return sum(year_of(text) is not None for text in column.filled) * 2 >= len(column.filled)
    are_numbers = column.numbers is not None and not column.is_unique
    return not (are_numbers and (key in ("genre", "artist") or name in words.OF_TEXTS))


def _separators(texts: dict[str, Column]) -> Iterator[tuple[str, str]]:
    for key, possible in (("artist", _BETWEEN_ARTISTS), ("genre", _BETWEEN_LABELS)):
        if key in texts and not texts[key].has_lists:
            cells = texts[key].filled
            if found := "".join(sign for sign in possible if _separates(sign, cells)):
                yield f"{key}_separators", found


def _separates(sign: str, cells: Sequence[str]) -> bool:
    """Return whether a sign stands between labels: most of its parts stand in other cells too.

    `R&B / Soul` is one label where neither part stands anywhere else.
    """
    together = {cell for cell in cells if sign in cell}
    if not together:
        return False
    parts = {
        cell: {part.strip().lower() for part in cell.split(sign)} - {""} for cell in set(cells)
    }
    known = Counter(part for each in parts.values() for part in each)
    several = [part for cell in together for part in parts[cell]]
    return sum(known[part] > 1 for part in several) * 2 >= len(several)


def _marks(columns: Sequence[Column], texts: dict[str, Column]) -> list[str]:
    """Return the texts that say nothing, in columns of texts and among numbers."""
    found: dict[str, None] = {}
    for key in ("title", "artist", "album", "genre"):
        if key in texts:
            counts = Counter(text.lower() for text in texts[key].filled)
            found |= dict.fromkeys(mark for mark in sorted(_MARKS) if counts[mark] > 1)
    for column in columns:
        found |= dict.fromkeys(column.marks)
    return list(found)


def _left_out(
    columns: Sequence[Column], texts: dict[str, Column], identity: Identity, length: Length
) -> Iterator[tuple[str, str]]:
    """Yield the columns of numbers that are no features, with the reason."""
    used = {*identity.names, *(column.name for column in texts.values()), *length.names}
    lengths = {each.name for each in length.columns}
    stems = Counter(words.stem(column.name) for column in columns)
    by_stem: dict[str, str | None] = {}  # thousands of columns often differ in a number alone
    for column in columns:
        name, stem = column.name, words.stem(column.name)
        if name not in used and words.is_upload(name):
            yield name, "the date of an upload, or of an entry, which is not the recording's"
        if name in used or column.numbers is None or words.is_upload(name):
            continue
        if name in identity.frames:
            yield name, "it says when each frame is"
            continue
        if stem not in by_stem:
            by_stem[stem] = words.no_sound(name)
        if column.are_whole and column.is_unique and words.is_counter(name):
            yield name, "its name is that of a counter of rows"
        elif column is columns[0] and column.counts_rows:
            yield name, "it counts the rows"
        elif name in lengths:
            yield name, "a length too"
        elif reason := by_stem[stem]:
            yield name, reason
        elif column.is_of_truths and words.is_label(name):
            yield (
                name,
                "whether it has a label, which is no sound; as labels, write them in one cell",
            )
        elif stems[stem] == 1 and column.is_constant:
            yield name, "the same number in every row"


def _odd_years(columns: Sequence[Column]) -> Iterator[str]:
    """Yield how years of two digits are read, and how many dates have none."""
    for column in columns:
        if short := next(filter(has_short_year, column.filled), None):
            yield (
                f"{column.name!r}: a year of two digits is the last such year up to next year, as"
                f" {year_of(short)} in {short!r}"
            )
        lacking = sum(year_of(text) is None for text in column.filled)
        if lacking:
            count = len(column.cells)
            yield f"{column.name!r}: {lacking} of {count} rows have a date without a year"


def _odd(columns: Sequence[Column], roles: Roles) -> Iterator[str]:
    """Yield what a person should look at."""
    features = {column.name for column in roles.features}
    texts = {roles.named.get(key) for key in words.KNOWN}
    for column in columns:
        numbers = column.numbers
        if column.name in texts:
            continue
        if numbers is None:
            odd = column.odd_texts
            count = len(column.filled) - odd.total()
            if len(column.lengths) > 1:
                lengths = ", ".join(map(str, column.lengths[:4]))
                yield (
                    f"{column.name!r}: its cells have different numbers of values: {lengths}; if"
                    " they are frames, write their mean, or an .npy of frames for each track"
                )
            elif odd and count > odd.total():
                example = max(odd, key=odd.__getitem__)
                yield (
                    f"{column.name!r}: numbers, but for {odd.total()} of {len(column.cells)} cells,"
                    f" such as {example!r:.40}"
                )
            elif odd and all("..." in text or "…" in text for text in odd):
                yield (
                    f"{column.name!r}: the numbers of a list are cut short by '...', as NumPy"
                    " prints them: write all of them, by .tolist()"
                )
            elif odd and all(_has_decimal_comma(text) for text in odd):
                yield (
                    f"{column.name!r}: numbers with a decimal comma: write them with a point, or"
                    " separate columns by ';'"
                )
        elif column.name in features:
            if interval := next((text for text in column.filled if is_interval(text)), None):
                yield f"{column.name!r}: of intervals such as {interval} the middle is taken"
            if column.infinities:
                yield (
                    f"{column.name!r}: {column.infinities} of {len(numbers)} cells are infinite:"
                    " their rows are rejected"
                )
            lacking = len(column.cells) - len(column.filled)
            if lacking * 2 > len(numbers):
                yield f"{column.name!r}: {lacking} of {len(numbers)} rows lack it"
            for sentinel in _SENTINELS & column.distinct_numbers:
                count = int((numbers == sentinel).sum())
                if count > 1 and len(column.distinct_numbers) > 2:
                    yield (
                        f"{column.name!r}: {sentinel} stands {count} times; if it says nothing:"
                        f' nothing = ["{sentinel}"] in [columns]'
                    )


def _has_decimal_comma(text: str) -> bool:
    whole, comma, part = text.strip("+- ").partition(",")
    return bool(comma) and whole.isdecimal() and part.isdecimal()
