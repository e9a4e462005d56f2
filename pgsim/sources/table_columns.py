"""The submissions in a block of a table's rows, read column by column.

Most rows are plain. One that is not, such as one with a text to be repaired or without an id, is
read by itself, as `tables.submission` does it: here it is odd, and whatever its columns give is
thrown away. So the columns have to be right about plain cells alone.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha1
from itertools import chain
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from pgsim.errors import Rejected
from pgsim.features.profile import FeatureSet, Profile
from pgsim.sources import tables
from pgsim.sources.cells import may_be_list, plain_numbers, plain_texts
from pgsim.sources.metadata import LONGEST_LENGTH, SHORTEST_LENGTH
from pgsim.sources.row_blocks import RowBlock
from pgsim.sources.submission import NAMESPACE, Submission, Submissions
from pgsim.sources.text import Repairs, are_storable

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LARGEST = float(np.finfo(np.float32).max)
_TEXTS = ("title", "album", "url")


def submissions(block: RowBlock, profile: Profile) -> Submissions:
    """Return the submissions in a block of rows; UsageError as `tables.submission` raises it."""
    columns = _Columns(block, profile)
    found = columns.read() if profile.columns and columns.names else None
    if found is not None and not columns.odd:
        return found
    read: dict[int, Submission] = {}
    failures: list[tuple[int, str]] = []
    for place, member in enumerate(block.members()):
        if place in columns.odd or found is None:
            try:
                if member.fault:
                    raise Rejected(member.fault)
                read[place] = tables.submission(member, profile)
            except Rejected as error:
                failures.append((place, str(error)))
    return _together(block.count, found, read, failures, profile)


def _together(
    count: int,
    plain: Submissions | None,
    odd: Mapping[int, Submission],
    failures: list[tuple[int, str]],
    profile: Profile,
) -> Submissions:
    """Return plain submissions with the odd ones in their places, and without the failures."""
    source = f"{tables.name}:{profile.name}"
    features = np.empty((count, profile.dimensions), np.float32)
    mbids, numbers, texts = [b""] * count, [0] * count, [b""] * count
    if plain is not None:
        features[:] = plain.features
        mbids, numbers, texts = plain.mbids, plain.numbers, plain.texts
    for place, each in odd.items():
        mbids[place], numbers[place] = each.mbid.bytes, each.number
        texts[place] = orjson.dumps({each.document: each.metadata})
        features[place] = each.features
    failed = dict(failures)
    kept = [place for place in range(count) if place not in failed]
    return Submissions(
        [mbids[place] for place in kept],
        [source] * len(kept),
        [numbers[place] for place in kept],
        features[kept],
        [texts[place] for place in kept],
        failures,
        sum(each.repairs for each in odd.values()),
    )


class _Columns:
    """The columns of a block of rows; `odd` has the places of the rows to be read by themselves."""

    def __init__(self, block: RowBlock, profile: Profile) -> None:
        self._where, self._all, self.odd = block.columns()
        self.names = tuple(self._where)
        self._block, self._profile, self._count = block, profile, block.count
        self._cells = tables.cells_of(profile)
        self._source = f"{tables.name}:{profile.name}"

    def read(self) -> Submissions | None:
        """Return the submissions of all rows as if none were odd; None if all are."""
        try:
            sets = tables.columns_of_sets(self._profile, self.names)
        except Rejected:
            return None
        mbids, ids = self._identities()
        said = {"source_id": ids, **self._metadata()}
        features = np.concatenate([self._set(each, columns) for each, columns in sets], axis=1)
        numbers = self._numbers()
        metadata = _objects(said)
        for place in np.flatnonzero(np.isnan(features).all(axis=1)).tolist():
            if not metadata[place].keys() - {"source_id"}:
                self.odd.add(place)
        document = self._block.name.rpartition("/")[2]
        texts = [orjson.dumps({document: each}) for each in metadata]
        sources = [self._source] * self._count
        return Submissions(mbids, sources, numbers, features, texts, [])

    def _column(self, name: str | None) -> list[str] | None:
        place = self._where.get(name) if name is not None else None
        return self._all[place] if place is not None else None

    def _texts(self, name: str | None) -> list[str]:
        """Return what `text_of` and a repair say of each cell."""
        column = self._column(name)
        if column is None:
            return [""] * self._count
        texts, odd = plain_texts(column, self._cells.nothing)
        self.odd.update(odd)
        if not are_storable(texts):
            self.odd.update(place for place, text in enumerate(texts) if not are_storable([text]))
        return texts

    def _identities(self) -> tuple[list[bytes], list[str | None]]:
        """Return the MBID of each row, and its id where that is of the source."""
        given = self._texts(self._cells.columns.get("mbid"))
        mbids = [_mbid(text) if text else b"" for text in given]
        ids: list[str | None] = [None] * self._count
        lacking = [place for place, text in enumerate(given) if not text]
        if lacking:
            parts = [self._texts(name) for name in self._cells.id]
            own = parts[0] if parts else [""] * self._count
            if parts[1:]:
                doubled = ([text.replace("|", "||") for text in part] for part in parts)
                own = [" | ".join(row) if any(row) else "" for row in zip(*doubled, strict=True)]
            made = _own_mbids(self._source, own)
            for place in lacking:
                ids[place], mbids[place] = own[place], made[place] if own[place] else b""
        self.odd.update(place for place, mbid in enumerate(mbids) if not mbid)
        return mbids, ids

    def _metadata(self) -> dict[str, Sequence[Any]]:
        """Return the values of each key of the metadata, empty where there is none."""
        found: dict[str, Sequence[Any]] = {}
        for key, name in self._cells.columns.items():
            column = self._column(name)
            if key in tables.READ and column is not None:
                found[key] = self._values(key, name, column)
        if "date" in found:
            dates = found.pop("date")
            years = found.get("year", dates)
            found["year"] = [year or date for year, date in zip(years, dates, strict=True)]
        if "genre" in found:
            scheme = self._profile.genre_scheme
            found["labels"] = [{scheme: each} if each else None for each in found.pop("genre")]
        return found

    def _values(self, key: str, name: str, column: list[str]) -> Sequence[Any]:
        """Return the value of each cell in the column of a key, as READ has it."""
        if key in _TEXTS or (
            key == "artist"
            and key not in self._cells.separators
            and not any(map(may_be_list, column))
        ):
            return self._texts(name)
        if key == "length":
            numbers, unread = plain_numbers(column, self._cells.nothing)
            if not unread:
                seconds = numbers / self._cells.units_a_second
                is_length = (seconds >= SHORTEST_LENGTH) & (seconds <= LONGEST_LENGTH)
                return list(np.where(is_length, seconds, 0).tolist())
        known: dict[str, Any] = {}
        repaired: set[str] = set()
        for cell in {*column}:
            repairs = Repairs()
            known[cell] = tables.READ[key](self._cells, {name: cell}, repairs)
            if repairs.count:
                repaired.add(cell)
        if repaired:
            self.odd.update(place for place, cell in enumerate(column) if cell in repaired)
        return [known[cell] for cell in column]

    def _numbers(self) -> list[int]:
        """Return the number of each row's submission."""
        name = self._cells.columns.get("number")
        column = self._column(name)
        if name is None or column is None:
            return [0] * self._count
        known: dict[str, int] = {}
        for cell in {*column}:
            try:
                known[cell] = self._cells.number({name: cell})
            except Rejected:
                known[cell] = -1
        numbers = [known[cell] for cell in column]
        self.odd.update(place for place, number in enumerate(numbers) if number < 0)
        return numbers

    def _set(self, each: FeatureSet, names: tuple[str, ...]) -> NDArray[np.float32]:
        """Return the (rows, length) numbers of a set, NaN where it is missing."""
        columns = [self._all[self._where[name]] for name in names]
        if each.form == "numbers" and len(columns) == each.length:
            cells = [*chain.from_iterable(columns)]
            numbers, unread = plain_numbers(cells, self._cells.nothing)
            self.odd.update(place % self._count for place in unread)
            return self._plain_set(numbers.reshape(each.length, self._count).T, each)
        result = np.full((self._count, each.length), np.nan, np.float32)
        for place, row in enumerate(zip(*columns, strict=True)):
            if place not in self.odd:
                try:
                    result[place] = tables.set_of([*row], names, each, self._cells.nothing)
                except Rejected:
                    self.odd.add(place)
        return result

    def _plain_set(self, values: NDArray[np.float64], each: FeatureSet) -> NDArray[np.float32]:
        """Return numbers as float32; a row that has an impossible one is odd."""
        is_missing = np.isnan(values).any(axis=1)
        is_odd = (np.abs(values) > _LARGEST).any(axis=1)
        if each.transform in ("log", "hellinger"):
            is_odd |= (values < 0).any(axis=1)
        self.odd.update(np.flatnonzero(is_odd).tolist())
        result = np.where(np.abs(values) > _LARGEST, 0, values).astype(np.float32)
        if each.transform == "log":
            is_missing |= ~(result > 0).all(axis=1)
        elif each.transform == "unit":
            is_missing |= ~(result != 0).any(axis=1)
        result[is_missing] = np.nan
        return result


def _objects(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return an object for each row, without the keys for which it has nothing."""
    rows = zip(*columns.values(), strict=True)
    if all(map(all, columns.values())):
        return [dict(zip(columns, row, strict=True)) for row in rows]
    return [{key: value for key, value in zip(columns, row, strict=True) if value} for row in rows]


def _mbid(text: str) -> bytes:
    """Return the bytes of the one UUID in a text; none if there is none."""
    if _UUID.fullmatch(text):
        return bytes.fromhex(text.replace("-", ""))
    found = tables.mbid_in(text)
    return found.bytes if found else b""


def _own_mbids(source: str, ids: Sequence[str]) -> list[bytes]:
    """Return the bytes of `own_mbid` for each id."""
    begun = sha1(NAMESPACE.bytes + f"{source}:".encode(), usedforsecurity=False)
    digests = bytearray()
    for each in ids:
        hashed = begun.copy()
        hashed.update(each.encode(errors="replace"))
        digests += hashed.digest()[:16]
    found = np.frombuffer(digests, np.uint8).reshape(-1, 16)
    found[:, 6] = found[:, 6] & 0x0F | 0x50  # version 5
    found[:, 8] = found[:, 8] & 0x3F | 0x80  # of the variant of RFC 9562
    return list(found.view("V16").ravel().tolist())
