"""The reader of tars, beside Python's own."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgsim.sources.streams import buffer as buffer_module
from pgsim.sources.streams.buffer import ReadBuffer
from pgsim.sources.streams.tar import BLOCK, Entry, TarError, entries, runs
from tests.support.tars import written

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=160
).map(lambda name: f"folder/{name}.json")


# Names of no usual kind: in two lines, after a blank, too long, not in ASCII, not wanted.
ODD = ["e\nf", " g", "h" * 90 + "/" + "i" * 90, "é", "!"]


@given(
    form=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    members=st.lists(st.tuples(NAMES, st.binary(max_size=1500)), max_size=5),
)
def test_whatever_tarfile_writes_is_read(form: int, members: list[tuple[str, bytes]]) -> None:
    found = [(entry.name, entry.read()) for entry in entries(io.BytesIO(written(form, members)))]
    assert found == members


@given(read=st.lists(st.integers(0, 700), min_size=3, max_size=3))
def test_what_of_a_file_is_not_read_is_skipped(read: list[int]) -> None:
    members = [(f"{size}.json", bytes([size]) * 600) for size in range(3)]
    stream = io.BytesIO(written(tarfile.USTAR_FORMAT, members))
    for size, (name, data), entry in zip(read, members, entries(stream), strict=True):
        assert (entry.name, entry.size) == (name, 600)
        assert entry.read(size) == data[:size]


Outcome = tuple[list[tuple[str, bytes]], str]


def one_by_one(data: bytes) -> Outcome:
    """The files of a tar, and what ended it before its end."""
    found: list[tuple[str, bytes]] = []
    try:
        for entry in entries(io.BytesIO(data)):
            found.append((entry.name, entry.read()))
    except TarError as error:
        return found, str(error)
    return found, ""


def in_runs(data: bytes, memory: int, left: int, sizes: list[int]) -> Outcome:
    """The same, by runs, of which `sizes` get to know how long they were."""
    buffer = ReadBuffer(memoryview(bytearray(memory)), left)
    found: list[tuple[str, bytes]] = []
    try:
        for each in runs(io.BytesIO(data), buffer, lambda name: not name.endswith("!.json")):
            if isinstance(each, Entry):
                found.append((each.name, each.read()))
                continue
            buffer.keep(each.bounds[-1])
            bounds = iter(each.bounds)
            places = zip(bounds, bounds, strict=True)
            texts = [bytes(buffer.memory[start:end]) for start, end in places]
            found += zip(each.names, texts, strict=True)
            sizes.append(len(texts))
            if buffer.kept > memory // 2:
                buffer.leave(memoryview(bytearray(memory)))
    except TarError as error:
        return found, str(error)
    return found, ""


@given(
    form=st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
    names=st.lists(st.sampled_from([*"aaaa", "b/c", "d" * 95, *ODD]), max_size=30),
    size=st.integers(0, 1500),
    is_plain=st.booleans(),
    memory=st.sampled_from([0, 9_000, 30_000, 100_000]),
    left=st.integers(1, 20),
    noise=st.one_of(st.just(b""), st.binary(max_size=BLOCK)),
    at=st.integers(0, 2**16),
)
def test_runs_hold_what_the_files_do_one_by_one_up_to_any_damage(
    monkeypatch: pytest.MonkeyPatch,
    form: int,
    names: list[str],
    size: int,
    is_plain: bool,
    memory: int,
    left: int,
    noise: bytes,
    at: int,
) -> None:
    monkeypatch.setattr(buffer_module, "_AHEAD", 1000)
    members = [
        (f"{name}.json", str(place).encode() * size)
        for place, name in enumerate(names)
        if name not in ODD or not is_plain
    ]
    data = written(form, members, with_others=not is_plain)
    at %= len(data) - len(noise)
    data = data[:at] + noise + data[at + len(noise) :]
    sizes: list[int] = []
    assert in_runs(data, memory, left, sizes) == one_by_one(data)
    assert all(0 < size <= left for size in sizes)


def test_usual_files_come_in_runs_as_long_as_wanted() -> None:
    members = [(f"folder/{place}.json", b"x" * place) for place in range(2000)]
    sizes: list[int] = []
    data = written(tarfile.GNU_FORMAT, members, with_others=False)
    assert in_runs(data, 2**20, 100, sizes) == (members, "")
    assert sum(sizes) > 1980
    assert sizes.count(100) > 15


def test_a_name_in_two_parts_is_put_together() -> None:
    name = "a" * 90 + "/" + "b" * 90 + ".json"
    members = [(each, b"{}") for each in ("a.json", "b.json", name, "c.json")]
    data = written(tarfile.USTAR_FORMAT, members, with_others=False)
    sizes: list[int] = []
    assert one_by_one(data) == in_runs(data, 2**20, 100, sizes) == (members, "")
    assert sizes == [1, 1]


@pytest.mark.parametrize(
    ("at", "field"),
    [
        (124, b"0000000030  "),  # a size that ends in blanks
        (124, b"000000000030"),  # or in nothing
        (124, b"\x80" + b"\0" * 10 + b"\x18"),  # or is no text
        (148, b"0000000\0"),
        (257, b"\0" * 8),  # the oldest kind
        (257, b"ustar  \0"),  # GNU's
        (5, b"\0more"),
        (345, b"folder"),
    ],
)
def test_a_header_of_any_kind_is_read_alike(at: int, field: bytes) -> None:
    members = [(f"{place}.json", b"x" * 24) for place in range(5)]
    tar = bytearray(written(tarfile.USTAR_FORMAT, members, with_others=False))
    start = 2 * 2 * BLOCK  # of the third
    tar[start + at : start + at + len(field)] = field
    if at != 148:
        tar[start + 148 : start + 156] = b" " * 8
        total = sum(tar[start : start + BLOCK])
        tar[start + 148 : start + 156] = f"{total:06o}\0 ".encode()
    found = in_runs(bytes(tar), 2**20, 100, [])
    assert found == one_by_one(bytes(tar))
    assert len(found[0]) == (2 if at == 148 else 5)


def test_sizes_above_eight_gigabytes_are_understood() -> None:
    header = tarfile.TarInfo("large.json")
    header.size = 2**40
    stream = io.BytesIO(header.tobuf(tarfile.GNU_FORMAT))
    assert next(entries(stream)).size == 2**40


@given(st.binary(max_size=3 * BLOCK), st.integers(0, 2**16))
def test_damage_is_an_error_and_never_an_end(noise: bytes, at: int) -> None:
    whole = written(tarfile.PAX_FORMAT, [("é" * 120 + ".json", b"{}" * 300), ("b.json", b"{}")])
    at %= len(whole) - len(noise)
    damaged = whole[:at] + noise + whole[at + len(noise) :]
    try:
        found = [(entry.name, entry.read()) for entry in entries(io.BytesIO(damaged))]
    except TarError:
        return
    # What is not checked, contents and folders, may differ; a zero block ends every tar.
    assert len(found) <= 2


@pytest.mark.parametrize("keep", range(0, 3000, 100))
def test_a_cut_off_tar_is_an_error(keep: int) -> None:
    members = [(f"{i}.json", b"x" * 300) for i in range(3)]
    with pytest.raises(TarError):
        list(entries(io.BytesIO(written(tarfile.USTAR_FORMAT, members)[:keep])))


def test_a_size_below_nothing_is_damage() -> None:
    tar = bytearray(written(tarfile.USTAR_FORMAT, [("a.json", b"{}")]))
    tar[124:136] = b"-0000001000\0"
    tar[148:156] = b" " * 8
    tar[148:156] = f"{sum(tar[:BLOCK]):06o}\0 ".encode()
    with pytest.raises(TarError, match="a damaged header"):
        list(entries(io.BytesIO(tar)))
