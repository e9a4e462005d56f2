"""Labels that a person has written into a CSV file."""

import csv
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError, UsageError
from pgsim.evaluation.labels import NONE
from pgsim.regular_file import open_regular, text_lines
from pgsim.store.submissions import mbid_keys
from pgsim.store.vectors import Vectors

COLUMNS = ("mbid", "label")


@dataclass(frozen=True, slots=True)
class LabelFile:
    """The labels of each MBID of a file, by their numbers; `names` has each label's text."""

    path: Path
    labels: dict[UUID, set[int]]
    names: list[str]


def read_label_file(path: Path) -> LabelFile:
    """The labels in a CSV file with the columns mbid and label; several rows give several labels.

    UsageError, with the line, where it is anything else.
    """
    labels: dict[UUID, set[int]] = {}
    numbers: dict[str, int] = {}
    try:
        with open_regular(path) as file:
            reader = csv.reader(text_lines(file), strict=True)
            places = _places(path, next(reader, []))
            for row in reader:
                if not row:
                    continue
                mbid, label = _cells(path, reader.line_num, row, places)
                labels.setdefault(mbid, set()).add(numbers.setdefault(label, len(numbers)))
    except OSError as error:
        raise PgsimError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"cannot read {path}: it is not UTF-8; save it as CSV UTF-8") from None
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: not CSV: {error}") from None
    if not labels:
        raise UsageError(f"{path} holds no labels: its lines after the first are empty")
    return LabelFile(path, labels, list(numbers))


def _places(path: Path, header: list[str]) -> tuple[int, int]:
    """Where the columns mbid and label are."""
    names = [name.strip().lower() for name in header]
    if sorted(names) != sorted(COLUMNS):
        found = ", ".join(header) or "nothing"
        raise UsageError(
            f"{path} begins with {found[:60]!r}, but the columns of labels are mbid,label: a row"
            " for each label of a recording"
        )
    return names.index("mbid"), names.index("label")


def _cells(path: Path, line: int, row: list[str], places: tuple[int, int]) -> tuple[UUID, str]:
    where = f"{path}, line {line}"
    if len(row) != len(COLUMNS):
        raise UsageError(
            f"{where} has {len(row)} cells, but there are 2 columns: mbid,label; a label with a"
            ' comma stands in quotes "…"'
        )
    mbid, label = (row[place].strip() for place in places)
    if not label:
        raise UsageError(f"{where} has no label: give it one, or leave the row out")
    try:
        return UUID(mbid), label
    except ValueError:
        raise UsageError(
            f"{where}: {mbid[:60]!r} is no MBID such as b5f6c0a0-5472-58d3-911d-9bc10dbc8b5e"
        ) from None


def classes_of(file: LabelFile, all_: Vectors) -> tuple[NDArray[np.int64], int]:
    """The labels (n, w) of recordings by their numbers, NONE to fill up; and how many are unknown.

    Unknown is an MBID of the file that has no vector. PgsimError where all are.
    """
    keys = mbid_keys(all_.mbids)
    by_key = np.argsort(keys)
    wanted = np.array([mbid.bytes for mbid in file.labels], "S16")
    place = np.minimum(np.searchsorted(keys, wanted, sorter=by_key), len(keys) - 1)
    rows = by_key[place]
    is_known = keys[rows] == wanted
    if not is_known.any():
        raise PgsimError(
            f"none of the {len(wanted):,} MBIDs of {file.path} is a recording with a vector here;"
            f" the first is {next(iter(file.labels))}"
        )
    classes = np.full((len(keys), max(map(len, file.labels.values()))), NONE)
    for row, known, own in zip(rows, is_known, file.labels.values(), strict=True):
        if known:
            classes[row, : len(own)] = sorted(own)
    return classes, int((~is_known).sum())
