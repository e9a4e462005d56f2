"""The reader of tars, beside Python's own."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgsim.sources.tar import BLOCK, TarError, entries

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=160
).map(lambda name: f"folder/{name}.json")


def written(form: int, members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for place, (name, data) in enumerate(members):
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
            other = tarfile.TarInfo(f"other {place}")
            other.type = (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE)[place % 3]
            other.linkname = name[:90] if place % 3 == 1 else ""
            archive.addfile(other)
    return buffer.getvalue()


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


def test_a_name_in_two_parts_is_put_together() -> None:
    name = "a" * 90 + "/" + "b" * 90 + ".json"
    data = written(tarfile.USTAR_FORMAT, [(name, b"{}")])
    assert [entry.name for entry in entries(io.BytesIO(data))] == [name]


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
