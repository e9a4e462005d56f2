"""Which columns of a table say which recording a row is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from pgsim.sources.cells import seconds_of
from pgsim.sources.description import words
from pgsim.sources.description.column import Column


@dataclass
class Identity:
    """The columns of `mbid`, `id` and `number`, with remarks, and what a person should look at.

    If rows are frames of recordings, `frames` names the columns that say when each one is.
    """

    named: dict[str, str | list[str]] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """Return the names of all these columns."""
        found: set[str] = set()
        for value in self.named.values():
            found |= {value} if isinstance(value, str) else set(value)
        return found


def identity_of(
    columns: Sequence[Column], texts: Mapping[str, Column], taken: set[str]
) -> Identity:
    """Return the columns that say which recording a row is about.

    `texts` has the columns of titles and so on; `taken` names all columns that have another use.
    """
    found = Identity()
    mbids = _mbids(columns)
    if mbids:
        found.named["mbid"] = mbids.name
    artists = [
        each.name
        for each in columns
        if each.is_of_mbids and each is not mbids and "artist" in words.plain(each.name)
    ]
    if artists:
        found.named["artist_mbid"] = artists[0]
    if mbids is None or not mbids.is_full:
        free = [each for each in columns if each.name not in {*found.named.values()}]
        _choose_id(found, free, texts, taken)
    _number(found, columns)
    return found


def _mbids(columns: Sequence[Column]) -> Column | None:
    """Return the column of recordings' MBIDs: named so before others, unique before repeated."""
    of_mbids = [
        column
        for column in columns
        if column.is_of_mbids and words.says_recording(column.name) is not False
    ]
    return min(
        of_mbids,
        key=lambda column: (
            words.says_recording(column.name) is None,
            -column.distinct / len(column.filled),
        ),
        default=None,
    )


def _choose_id(
    found: Identity, columns: Sequence[Column], texts: Mapping[str, Column], taken: set[str]
) -> None:
    """Choose the source's own id: a column of ids, else title and artist, else the row's number."""
    by_name = words.by_name(columns)
    named = [by_name[name] for name in words.IDS if name in by_name]
    named += [each for each in columns if each.is_of_files and each not in named]
    for column in [each for each in named if each.is_rounded]:
        named.remove(column)
        example = next(text for text in column.filled if "E+" in text)
        found.odd.append(
            f"{column.name!r}: a spreadsheet has rounded ids such as {example}, so that different"
            " recordings have the same: export the column as text"
        )
    for column in named:
        is_specific = words.plain(column.name) in words.IDS_BY_NAME or column.is_of_files
        counts = column.counts_rows and column is columns[0] and column is not named[-1]
        if column.is_full and not counts and (column.is_unique or is_specific):
            found.named["id"] = column.name
            if column.counts_rows:
                found.odd.append(_only_one_table(column.name))
            return
    free = [column for column in columns if column.name not in taken]
    unique = [column for column in free if column.is_unique and column.is_of_words]
    if unique:
        found.named["id"] = unique[0].name
        found.remarks["id"] = "no two rows have the same"
        return
    together = [texts[key] for key in ("title", "artist") if key in texts]
    if together and texts.get("title"):
        pairs = set(zip(*(column.texts for column in together), strict=True))
        named_by = [column.name for column in together]
        found.named["id"] = named_by if len(named_by) > 1 else named_by[0]
        found.remarks["id"] = "there is no column of ids"
        if len(pairs) < len(columns[0].cells):
            count = len(columns[0].cells) - len(pairs)
            found.odd.append(
                f"{count} rows have the {' and '.join(named_by)} of another row: they are taken for"
                " the same recording; give the rows ids if they are different ones"
            )
        return
    whole = [column for column in free if column.is_unique and column.are_whole]
    counters = [column for column in whole if words.is_counter(column.name) or column.counts_rows]
    if counters:
        found.named["id"] = counters[0].name
        found.odd.append(_only_one_table(counters[0].name))
        return
    found.named["id"] = "row"
    found.remarks["id"] = "there is no column of ids: the row's number, from 0"
    found.odd.append(_only_one_table("row"))


def _only_one_table(name: str) -> str:
    return (
        f"{name!r} counts the rows, and is the only id: the rows of another table would be taken"
        " for the same recordings"
    )


def _number(found: Identity, columns: Sequence[Column]) -> None:
    """Choose the number of a submission, where several rows have one id."""
    by_name = {column.name: column for column in columns}
    keys = found.named.get("mbid") or found.named.get("id")
    names = [keys] if isinstance(keys, str) else keys or []
    ids = [by_name[name] for name in names if name in by_name]
    if not ids or (len(ids) == 1 and ids[0].counts_rows):
        _say_of_frames(found, columns)
        return
    rows = list(zip(*(column.texts for column in ids), strict=True))
    if len(set(rows)) == len(rows):
        return
    count = f"{len(rows)} rows have {len(set(rows))} ids"
    for column in columns:
        single = column.single
        is_number = words.plain(column.name) in words.NUMBERS and column.are_whole
        if not is_number or single is None or np.nanmin(single) < 0:
            continue
        if len(set(zip(rows, column.texts, strict=True))) == len(rows):
            found.named["number"] = column.name
            found.remarks["number"] = f"{count}: a row is one of a recording's submissions"
            return
    features = [
        column
        for column in columns
        if column.numbers is not None
        and column.name not in found.names
        and not words.is_counter(column.name)
        and not column.counts_rows
        and not words.is_id(column.name)
        and not words.is_about_use(column.name)
    ]
    measured = set(zip(rows, *(column.texts for column in features), strict=True))
    if len(measured) > len(set(rows)):
        found.named["number"] = "row"
        found.frames = [each.name for each in columns if _are_times(each, rows)]
        found.remarks["number"] = (
            f"{count}: the rows of one id are its frames, of which the mean is taken"
            if found.frames
            else f"{count}, with different features: each row is a submission"
        )
    else:
        found.odd.append(f"{count}: the rows of one id become one recording, with all their genres")


def _are_times(column: Column, ids: Sequence[tuple[str, ...]]) -> bool:
    """Return whether a column says when frames are: its numbers rise from each row of an id on."""
    is_unnamed = column.name.startswith(("column_", "unnamed_"))
    if not is_unnamed and words.plain(column.name) not in words.FRAMES:
        return False
    times = [seconds_of(cell) for cell in column.cells]
    if not all(isinstance(each, int | float) for each in times):
        return False
    is_next = np.array([before == after for before, after in pairwise(ids)], bool)
    steps = np.diff(times)[is_next]
    return len(steps) > 1 and bool((steps > 0).all()) and (not is_unnamed or times[0] == 0)


def _say_of_frames(found: Identity, columns: Sequence[Column]) -> None:
    """Say that rows look like frames where nothing tells of which recording they are."""
    rows = [("",)] * len(columns[0].cells) if columns else []
    times = [each.name for each in columns if _are_times(each, rows)]
    if times:
        found.frames = times
        found.odd.append(
            f"{times[0]!r} rises with the rows as in the frames of one recording, and no column"
            " says of which: each row becomes a recording; add a column with the name of the file"
            " (openSMILE's -instname), or write the mean of each recording"
        )
