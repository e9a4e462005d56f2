"""Rows of a table read column by column, against the same rows read one by one."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pgsim.errors import Rejected
from pgsim.features.profile import Profile, parse_profile
from pgsim.sources import tables
from pgsim.sources.delimited.blocks import record_blocks
from pgsim.sources.delimited.kinds import Shape
from pgsim.sources.delimited.records import Form, Lines, records
from pgsim.sources.row_blocks import RowBlock
from pgsim.sources.table_columns import submissions

HEAD = """
name = "odd"
extractor = "none"
genre_scheme = "tag"
[columns]
"""
SETS = """
[[set]]
name = "timbre"
path = "t*"
length = 2
transform = "{0}"
aggregate = "median"
weight = 0.4
[[set]]
name = "tempo"
path = "tempo"
form = "octaves"
transform = "isotropic"
aggregate = "mean"
weight = 0.3
[[set]]
name = "cloud"
path = "cloud"
length = 3
transform = "{0}"
aggregate = "mean"
weight = 0.3
"""
KEYS = (
    'mbid = "mbid"\nid = "song"\ntitle = "name"\nartist = "by"\nartist_mbid = "who"\n'
    'album = "album"\nyear = "year"\ndate = "date"\ngenre = "style"\nlength = "seconds"\n'
    'url = "url"\n',
    'id = ["song", "album"]\nnumber = "year"\ntitle = "name"\nartist = "by"\ngenre = "style"\n'
    'length = "seconds"\nlength_unit = "milliseconds"\nartist_separators = ";"\n'
    'genre_separators = ",|"\nnothing = ["0", "Unknown", "b\'x\'"]\n',
    'id = "row"\nlength = "row"\nyear = "seconds"\n',
)
MBIDS = (
    "0dad432b-16cc-4bf0-8961-fd31d124b01b",
    "0DAD432B16CC4BF08961FD31D124B01C",
    "https://musicbrainz.org/recording/0dad432b-16cc-4bf0-8961-fd31d124b01d",
    "no id",
)
TEXTS = (
    *("Tune", " Tune ", "", "b'Tune'", 'b"T"', "nan", "NA", "#N/A", "<null>", "Unknown", "x|y"),
    *("a;b", "['a', 'b']", '[{"name": "Hip-Hop"}]', "(What's the Story)", "Tu\0ne", "\ud800"),
    *("LONG", "LONGEST", "Tune\x1fB", "\x1eTune", "Tune, too", 'the "Heroes"', "a\nb", "\xa0"),
    *("song", "mbid", "1,5", "0", "#1", "Rock; pop;ROCK", "unknown", "12"),
)
# Texts that are too long to be shown where a test fails; the longest one is repaired.
LONG = {"LONGEST": "é" * 2100, "LONG": "a" * 1100}
NUMBERS = (
    *("1", "0.5", "-2.25", "1e3", "1e39", "-1e39", "1e400", "inf", "-Infinity", "nan", "", " 3 "),
    *("NA", "1_0", "0", "-0.0", "1e-46", "abc", "[1, 2]", "1 2 3", "[1, 2, 3]", "3.5;4;5", "١"),
    *("3:45", "225 s", "1999-02-03", "1899", "20010203", "2147483648", "1.5", "0.0001"),
)


def profile_of(keys: str = KEYS[0], transform: str = "zscore") -> Profile:
    """A profile of these keys of [columns], whose sets have this transform."""
    return parse_profile(f"{HEAD}{keys}{SETS.format(transform)}", Path("odd.toml"))


@dataclass(frozen=True)
class Read:
    """What became of a table's rows: of each its submission, or the reason why it has none."""

    rows: list[Any]
    names: list[str]
    repairs: int


def one_by_one(path: Path, profile: Profile) -> Read:
    """The rows as `tables.submission` reads them."""
    rows: list[Any] = []
    names, repairs = [], 0
    for member in tables.members(path):
        names.append(member.name)
        try:
            if member.fault:
                raise Rejected(member.fault)
            found = tables.submission(member, profile)
        except Rejected as error:
            rows.append(str(error))
        else:
            document = orjson.loads(orjson.dumps({found.document: found.metadata}))
            key = found.mbid.bytes, found.source, found.number
            rows.append((*key, document, bits(found.features)))
            repairs += found.repairs
    return Read(rows, names, repairs)


def by_columns(path: Path, profile: Profile, most: int) -> Read:
    """The same rows, read in blocks."""
    rows: list[Any] = []
    names, repairs = [], 0
    for block in tables.blocks(path, most):
        if not isinstance(block, RowBlock):
            names.append(block.name)
            rows.append(block.fault)
            continue
        assert 0 < block.count <= most
        names += block.names
        found = submissions(block, profile)
        repairs += found.repairs
        good = iter(
            zip(
                *(found.mbids, found.sources, found.numbers),
                map(orjson.loads, found.texts),
                map(bits, found.features),
                strict=True,
            )
        )
        failed = dict(found.failures)
        rows += [failed.get(place) or next(good) for place in range(block.count)]
        assert next(good, None) is None
    return Read(rows, names, repairs)


def bits(features: Any) -> bytes:
    """Features bit for bit, every NaN alike."""
    return np.where(np.isnan(features), np.float32("nan"), features).astype(np.float32).tobytes()


COLUMNS: dict[str, Sequence[str]] = {
    "song": TEXTS,
    "mbid": (*MBIDS, "", ""),
    "name": TEXTS,
    "by": TEXTS,
    "who": (*MBIDS, f"{MBIDS[0]};{MBIDS[1]}"),
    "album": TEXTS,
    "year": NUMBERS,
    "date": NUMBERS,
    "style": TEXTS,
    "seconds": NUMBERS,
    "url": TEXTS,
    "t1": NUMBERS,
    "t2": NUMBERS,
    "tempo": NUMBERS,
    "cloud": ("[1, 2, 3]", "1 2 3", "[0.5 -1 2]", "", "[1, 2]", "1;2;3"),
}


@st.composite
def tables_of_text(draw: st.DrawFn) -> bytes:
    """A table as a program writes it: mostly plain cells, some odd ones, some lines of anything."""
    names = draw(st.permutations(list(COLUMNS)))[: draw(st.integers(2, len(COLUMNS)))]
    odds = draw(st.floats(0, 0.3))
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    random = draw(st.randoms(use_true_random=False))
    out = io.StringIO()
    write = csv.writer(out, delimiter=separator, lineterminator=ending)
    write.writerow(names)
    for at in range(draw(st.integers(1, 25))):
        cells = [
            random.choice(COLUMNS[name]) if random.random() < odds else plain(name, at)
            for name in names
        ]
        write.writerow(cells)
        if random.random() < odds / 4:
            out.write(random.choice(["", "  ", separator, "one", '"', 'a"b', *names]) + ending)
        if random.random() < odds / 8:
            write.writerow(names)
    text = out.getvalue()
    if draw(st.booleans()):
        text = text.replace(ending, separator + ending)
    return text.encode(errors="surrogateescape" if "\ud800" not in text else "replace")


def plain(name: str, at: int) -> str:
    """A cell as most are."""
    if COLUMNS[name] is NUMBERS:
        return str(1960 + at % 60) if name in ("year", "date") else f"{at * 7 % 13 + 0.5}"
    if name in ("mbid", "who"):
        return MBIDS[0].replace("d124", f"{at:04x}")
    return f"{at}, {at + 1} and 3" if name == "cloud" else f"{name} {at}"


@settings(max_examples=60, deadline=None)
@given(
    tables_of_text(),
    st.sampled_from(KEYS),
    st.sampled_from(["zscore", "log", "hellinger", "unit"]),
    st.integers(1, 70),
)
@example(b"\xff,song\n" + b"1,2\n" * 9, KEYS[0], "zscore", 4)
def test_columns_say_of_each_row_what_it_says_by_itself(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, keys: str, transform: str, most: int
) -> None:
    path = tmp_path_factory.mktemp("odd") / "odd.csv"
    for name, text in LONG.items():
        data = data.replace(name.encode(), text.encode())
    path.write_bytes(data)
    profile = profile_of(keys, transform)
    assert by_columns(path, profile, most) == one_by_one(path, profile)


LINES = st.lists(
    st.sampled_from(
        [
            *("a,1,2", "b,2,3", "c,3,4\r", "", "  ", ",", "# a, comment", "#x,1,2", 'd,"4",5'),
            *('e,"over', 'two",6', 'f,"never', "g,7", 'h,"a""b",8', 'i"j,9,1', '"k" l,1,2', ",,"),
            *("m\x1f,1,2", "\x1en,1,2", '"o\x1f",1,2', "\x1f", "p,1,2\x1a"),
        ]
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(
    LINES,
    st.sampled_from([",", ";"]),
    st.sampled_from(['"', ""]),
    st.sampled_from(["", "#"]),
    st.booleans(),
    st.integers(1, 12),
    st.integers(1, 9),
)
def test_blocks_have_the_records_of_the_lines(
    lines: list[str],
    separator: str,
    quote: str,
    comment: str,
    is_padded: bool,
    part: int,
    most: int,
) -> None:
    form = Form(separator, quote, comment, is_padded)
    shape = Shape(3, {1: "number", 2: "number"})
    parts = [lines[start : start + part] for start in range(0, len(lines), part)]
    found: list[tuple[int, list[str] | str]] = []
    for block in record_blocks(Lines(parts), form, shape, 5, most):
        assert 0 < len(block.lines) <= most
        found += zip(block.lines, block.cells(), strict=True)
    whole = records(lines, form, shape, 5)
    assert found == [(each.line, each.fault or each.cells) for each in whole]


def test_a_block_goes_on_behind_the_rows_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    lines = ["song,name,t1,t2", *(f's{at},"Tune\x1f {at}",{at},2' for at in range(9))]
    lines.insert(4, 's,"broken,1,2')
    path.write_text("\n".join(lines) + "\n")
    [block] = tables.blocks(path, 50)
    assert isinstance(block, RowBlock)
    members = list(block.members())
    for count in range(1, 10):
        rest = block.without_first(count)
        assert list(rest.members()) == members[count:]
        assert rest.names == block.names[count:]


@pytest.mark.parametrize("number", ["inf", "1e400", "1.5", "-1", "2147483648", "two"])
def test_a_number_that_is_none_costs_its_row_alone(tmp_path: Path, number: str) -> None:
    path = tmp_path / "s.csv"
    rows = [f"s{at},album,{number if at == 3 else at},Tune,1,2" for at in range(6)]
    path.write_text("\n".join(["song,album,year,name,t1,t2", *rows, ""]))
    found = by_columns(path, profile_of(KEYS[1]), 50)
    assert [row[2] for row in found.rows if not isinstance(row, str)] == [0, 1, 2, 4, 5]
    [reason] = [row for row in found.rows if isinstance(row, str)]
    assert reason == f"number '{number}' is not an integer from 0 to 2147483647"
    assert found == one_by_one(path, profile_of(KEYS[1]))
