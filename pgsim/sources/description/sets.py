"""The feature sets that are proposed for a table's columns of numbers."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.sources import tables
from pgsim.sources.description.column import Column
from pgsim.sources.description.words import stem

# A list of at least so many numbers is taken for an embedding, a shorter one for measurements.
_EMBEDDING = 64
# With more groups than this, those whose names begin alike become one.
_MOST_GROUPS = 12


@dataclass(frozen=True, slots=True)
class ProposedSet:
    """A proposed feature set: its path, and the (n, length) numbers found there."""

    name: str
    path: str | list[str]
    about: str
    values: NDArray[np.float64]
    is_list: bool = False
    is_of_frames: bool = False

    @property
    def length(self) -> int:
        """Return the number of dimensions."""
        return int(self.values.shape[1])

    @property
    def lacking(self) -> int:
        """Return how many rows lack a number of it."""
        return int(np.isnan(self.values).any(axis=1).sum())

    @property
    def treatment(self) -> tuple[str, str, str]:
        """Return form, transform and aggregate, judging by the numbers."""
        whole = self.values[~np.isnan(self.values).any(axis=1)]
        is_share = self.length > 1 and len(whole) > 0 and whole.min() >= 0
        if is_share and np.allclose(whole.sum(axis=1), 1, atol=1e-3):
            return "probabilities", "hellinger", "mean"
        if self.is_list and self.length >= _EMBEDDING:
            return "", "unit", "mean"
        return "", "zscore", "mean" if self.is_of_frames else "median"


def sets_of(
    features: Sequence[Column], columns: Sequence[str], is_of_frames: bool = False
) -> Iterator[ProposedSet]:
    """Yield a set for each column of lists, each group of columns named alike, and the others.

    `columns` names all columns of the table. Single columns that the same rows lack are together,
    since a row that lacks one number of a set lacks the set.
    """
    names: set[str] = set()
    flat = []
    for column in features:
        assert column.numbers is not None
        if not column.is_of_lists:
            flat.append(column)
            continue
        about = f"{column.numbers.shape[1]} numbers in each cell"
        yield ProposedSet(
            set_name(column.name, names), column.name, about, column.numbers, True, is_of_frames
        )
    groups = _groups(flat)
    for group in groups:
        if len(group) > 1:
            about = f"{len(group)} columns, {group[0].name} to {group[-1].name}"
            path, alike = _path(group, columns)
            yield ProposedSet(
                set_name(alike, names), path, about, _numbers(group), is_of_frames=is_of_frames
            )
    singles: dict[bytes, list[Column]] = defaultdict(list)
    for column in (group[0] for group in groups if len(group) == 1):
        assert column.numbers is not None
        singles[np.isnan(column.numbers).tobytes()].append(column)
    for together in singles.values():
        is_one = len(together) == 1
        about = "a single column" if is_one else f"{len(together)} single columns"
        name = set_name(together[0].name if is_one else "others", names)
        path = [column.name for column in together]
        values = _numbers(together)
        yield ProposedSet(
            name, path[0] if is_one else path, about, values, is_of_frames=is_of_frames
        )


def _groups(columns: Sequence[Column]) -> list[list[Column]]:
    """Return columns whose names differ in numbers alone together, in the order of the first."""
    names = {column.name for column in columns}
    groups = _by(columns, lambda name: stem(_undoubled(name, names)))
    if len(groups) > _MOST_GROUPS:
        coarser = _by(columns, lambda name: re.split(r"[.:/#]|[0-9]+", name)[0] or name)
        if len(coarser) > _MOST_GROUPS:
            coarser = _by(columns, lambda name: re.split(r"[._:/# -]|[0-9]+", name)[0] or name)
        is_better = 1 < len(coarser) < len(groups)
        groups = coarser if is_better else groups
    return groups


def _undoubled(name: str, names: set[str]) -> str:
    """Return `mfcc` for `mfcc.1` or `mfcc_2`: the second column of that name, as it was renamed."""
    found = re.fullmatch(r"(.+)[._][0-9]+", name)
    return found[1] if found and found[1] in names else name


def _by(columns: Sequence[Column], key: Callable[[str], str]) -> list[list[Column]]:
    groups: dict[str, list[Column]] = defaultdict(list)
    for column in columns:
        groups[key(column.name)].append(column)
    return list(groups.values())


def _path(group: Sequence[Column], columns: Sequence[str]) -> tuple[str | list[str], str]:
    """Return a pattern that names a group's columns and no others, or their list; and a name."""
    names = [column.name for column in group]
    before = _common(names)
    after = _common([name[len(before) :][::-1] for name in names])[::-1]
    # Digits belong to what differs: x10 and x11 begin with x.
    before, after = before.rstrip("0123456789"), after.lstrip("0123456789")
    path = f"{before}*{after}"
    is_exact = set(tables.matching(columns, path)) == set(names)
    return (path if is_exact else names), re.sub("[._0-9]+$", "", f"{before}{after}")


def _common(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    length = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    return first[:length]


def _numbers(columns: Sequence[Column]) -> NDArray[np.float64]:
    return np.hstack([column.numbers for column in columns if column.numbers is not None])


def set_name(column: str, names: set[str]) -> str:
    """Return a name for a set like the column's, different from all `names`, and add it to them."""
    name = re.sub("[^a-z0-9]+", "_", column.lower()).strip("_")[:50]
    name = name if name[:1].isalpha() else f"set_{name}".rstrip("_")
    number = 2
    base = name
    while name in names:
        name, number = f"{base}_{number}", number + 1
    names.add(name)
    return name
