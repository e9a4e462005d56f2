"""The documents in files of every form, and in broken ones."""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from msgspec.structs import replace

from pgsim.errors import Rejected, UsageError
from pgsim.features.profile import read_profile
from pgsim.sources import inputs
from pgsim.sources.acousticbrainz import submission
from pgsim.sources.streams.files import Member, SourceError

PROFILE = read_profile("acousticbrainz")
MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b"
DOCUMENT: dict[str, Any] = {"rhythm": {"bpm": 120.0}}
NAMES = [f"dump/highlevel/0{i}/{i}/0dad432b-16cc-4bf0-8961-{i:012x}-{i}.json" for i in range(9)]


def plain_tar(names: list[str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ["dump/COPYING", *names]:
            data = json.dumps({**DOCUMENT, "pad": os.urandom(999).hex()}).encode()
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


def frames(data: bytes) -> bytes:
    """Zstandard in frames of 1,000 bytes, an empty and a skippable one among them."""
    compress = zstandard.ZstdCompressor().compress
    parts = [compress(data[at : at + 1000]) for at in range(0, len(data), 1000)]
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"skip"
    return b"".join([parts[0], compress(b""), skippable, *parts[1:]])


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": frames,
}


def members(path: Path) -> Iterator[Member]:
    """All documents under a path, named as seen from there."""
    for each in inputs(path):
        if each.source is None:
            yield Member(each.folder + each.path.name, b"", each.fault)
            continue
        for member in each.source.members(each.path):
            yield replace(member, name=each.folder + member.name)


def names(path: Path) -> list[str]:
    return [member.name for member in members(path)]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_tar_is_read_as_a_stream_without_its_copying_file(tmp_path: Path, suffix: str):
    path = tmp_path / f"dump.tar{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](plain_tar(NAMES)))
    read = list(members(path))
    assert [member.name for member in read] == [f"dump.tar{suffix}:{name}" for name in NAMES]
    assert all(json.loads(member.data)["rhythm"] == DOCUMENT["rhythm"] for member in read)
    assert [submission(member, PROFILE).number for member in read] == list(range(9))


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_ndjson_lines_are_named_by_number_and_blank_ones_are_none(tmp_path: Path, suffix: str):
    path = tmp_path / f"lines.ndjson{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](b'{"a": 1}\n\n{"b": 2}\r\n  \n{"c": 3}'))
    read = list(members(path))
    assert [json.loads(member.data) for member in read] == [{"a": 1}, {"b": 2}, {"c": 3}]
    assert [member.name for member in read] == [f"lines.ndjson{suffix}:{i}" for i in (1, 3, 5)]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_a_json_file_is_one_document(tmp_path: Path, suffix: str):
    path = tmp_path / f"{MBID}-3.json{suffix}"
    path.write_bytes(COMPRESSIONS[suffix](json.dumps(DOCUMENT).encode()))
    (member,) = members(path)
    assert submission(member, PROFILE).number == 3


def test_a_folder_is_read_in_the_order_of_names_with_the_archives_in_it(tmp_path: Path):
    (tmp_path / "b" / "c").mkdir(parents=True)
    (tmp_path / "b" / "c" / "2.json").write_text("{}")
    (tmp_path / "b" / "1.JSON").write_text("{}")
    (tmp_path / "z.json").write_text("{}")
    (tmp_path / "a.ndjson").write_text("{}\n{}\n")
    (tmp_path / "y.tar").write_bytes(plain_tar(["x.json"]))
    for other in ("COPYING", ".hidden.json", "._z.json", "table.csv", "json"):
        (tmp_path / other).write_text("no")
    (tmp_path / "b" / "up").symlink_to(tmp_path / "b")
    assert names(tmp_path) == [
        "a.ndjson:1",
        "a.ndjson:2",
        "y.tar:x.json",
        "z.json",
        "b/1.JSON",
        "b/c/2.json",
    ]


def test_a_long_member_name_is_whole(tmp_path: Path):
    long = f"{'deep/' * 60}{MBID}-0.json"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "long.tar", "w", format=form) as archive:
            header = tarfile.TarInfo(long)
            header.size = 2
            archive.addfile(header, io.BytesIO(b"{}"))
        assert names(tmp_path / "long.tar") == [f"long.tar:{long}"]


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_cut_off_tar_gives_what_it_has_and_one_fault(tmp_path: Path, suffix: str, keep: float):
    whole = COMPRESSIONS[suffix](plain_tar([f"{i}.json" for i in range(200)]))
    path = tmp_path / f"dump.tar{suffix}"
    path.write_bytes(whole[: int(len(whole) * keep)])
    *read, last = members(path)
    assert read or suffix in (".bz2", ".xz")
    assert len(read) < 200
    assert not any(member.fault for member in read)
    assert last.name == f"dump.tar{suffix}"
    assert last.fault.startswith(f"broken after {len(read)} documents: ")


@pytest.mark.parametrize("of_header", [0, 100])
def test_a_tar_cut_at_a_member_does_not_pass_for_a_whole_one(tmp_path: Path, of_header: int):
    whole = plain_tar([f"{i}.json" for i in range(3)])
    headers = [at for at in range(0, len(whole), 512) if whole[at + 257 : at + 262] == b"ustar"]
    path = tmp_path / "dump.tar"
    path.write_bytes(whole[: headers[2] + of_header])
    first, last = members(path)
    assert not first.fault
    assert last.fault.startswith("broken after 1 documents: no end-of-archive mark")


def test_a_tar_with_a_damaged_header_does_not_pass_for_a_whole_one(tmp_path: Path):
    whole = bytearray(plain_tar([f"{i}.json" for i in range(3)]))
    headers = [at for at in range(0, len(whole), 512) if whole[at + 257 : at + 262] == b"ustar"]
    whole[headers[2]] ^= 1
    (tmp_path / "dump.tar").write_bytes(whole)
    assert [bool(member.fault) for member in members(tmp_path / "dump.tar")] == [False, True]


@pytest.mark.parametrize(
    "suffix", [".gz", ".bz2", pytest.param(".xz", marks=pytest.mark.slow), ".zst"]
)
def test_cut_off_ndjson_gives_what_it_has_and_one_fault(tmp_path: Path, suffix: str):
    lines = b"".join(b'{"pad": "%s"}\n' % os.urandom(500).hex().encode() for _ in range(2000))
    whole = COMPRESSIONS[suffix](lines)
    path = tmp_path / f"lines.ndjson{suffix}"
    path.write_bytes(whole[:-20])
    read = [member.fault for member in members(path)]
    assert len(read) > 1
    assert "broken after" in read[-1]
    assert not any(read[:-1])


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("kind", ["json", "ndjson", "tar"])
def test_garbage_is_one_document_that_is_rejected(tmp_path: Path, kind: str, suffix: str):
    path = tmp_path / f"garbage.{kind}{suffix}"
    path.write_bytes(b"\x00\xff not what it says")
    (member,) = members(path)
    with pytest.raises(Rejected):
        submission(member, PROFILE)


@pytest.mark.parametrize("name", ["empty.tar", "empty.ndjson", "empty.json", "empty.json.zst"])
def test_an_empty_file_is_one_document_that_is_rejected(tmp_path: Path, name: str):
    (tmp_path / name).touch()
    (member,) = members(tmp_path / name)
    with pytest.raises(Rejected, match=r"empty|no document|0 bytes are left"):
        submission(member, PROFILE)


def test_a_broken_archive_does_not_hide_the_files_after_it(tmp_path: Path):
    (tmp_path / "a.tar.zst").write_bytes(frames(plain_tar(NAMES))[:-700])
    os.mkfifo(tmp_path / "b.json")
    (tmp_path / "c.json").symlink_to("nowhere")
    (tmp_path / "d.json").write_text("{}")
    faults = {member.name: member.fault for member in members(tmp_path) if member.fault}
    assert list(faults) == ["a.tar.zst", "b.json", "c.json"]
    assert "neither a file nor a folder" in faults["b.json"]
    assert "not found" in faults["c.json"]
    assert names(tmp_path)[-1] == "d.json"


def test_a_line_without_end_is_rejected_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pgsim.sources.streams.files.LONGEST", 100)
    (tmp_path / "x.ndjson").write_text("{}\n" + "x" * 350 + "\n" + "{}\n")
    (tmp_path / "x.json").write_text(" " * 101)
    (tmp_path / "x.tar").write_bytes(plain_tar(["long.json"]))
    for name, long in (("x.ndjson", [2]), ("x.json", [1]), ("x.tar", [1])):
        faults = [member.fault for member in members(tmp_path / name)]
        assert [at for at, fault in enumerate(faults, 1) if "longer than" in fault] == long
    assert len(names(tmp_path / "x.ndjson")) == 3


def test_a_string_of_100_mb_is_rejected_without_being_held(tmp_path: Path):
    line = b'{"title": "' + b"x" * 100 * 2**20 + b'"}\n'
    (tmp_path / "x.ndjson.zst").write_bytes(zstandard.compress(line + b"{}\n"))
    long, short = members(tmp_path / "x.ndjson.zst")
    assert (long.fault, long.data) == ("longer than 16 MiB", b"")
    assert short.data == b"{}\n"


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", zstandard.ZstdCompressor(write_checksum=True).compress),
    ],
)
def test_a_checksum_that_is_wrong_is_a_fault(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
):
    data = bytearray(compress(b'{"rhythm": {"bpm": 120}}\n' * 100))
    data[-6 if suffix != ".zst" else -2] ^= 1
    path = tmp_path / f"x.ndjson{suffix}"
    path.write_bytes(data)
    assert list(members(path))[-1].fault.startswith("broken after ")


def test_a_corrupt_zstd_frame_is_a_fault_and_what_stands_before_it_is_read(tmp_path: Path):
    data = bytearray(frames(plain_tar(NAMES)))
    at = data.index(b"\x28\xb5\x2f\xfd", len(data) * 2 // 3)  # where a frame begins
    data[at : at + 4] = b"\xff" * 4
    path = tmp_path / "dump.tar.zst"
    path.write_bytes(data)
    *read, last = members(path)
    assert 0 < len(read) < len(NAMES)
    assert last.fault.startswith(f"broken after {len(read)} documents: ")


def test_names_that_are_not_utf_8_become_text(tmp_path: Path):
    Path(tmp_path, os.fsdecode(b"\xff.json")).write_bytes(b"{}")
    assert names(tmp_path) == ["\ufffd.json"]


def test_what_cannot_be_read_at_all_is_one_line(tmp_path: Path):
    with pytest.raises(SourceError, match=r"nowhere not found"):
        inputs(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        inputs(tmp_path / "pipe.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        SourceError, match=r"no documents in .*empty: no file there is named \.json"
    ):
        inputs(tmp_path / "empty")
    (tmp_path / "x.mp3").touch()
    with pytest.raises(UsageError, match=r"cannot read .*x\.mp3: .*\.json, \.ndjson, \.tar"):
        inputs(tmp_path / "x.mp3")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_is_closed_to_us_is_one_line(tmp_path: Path):
    (tmp_path / "x.json").touch(mode=0)
    with pytest.raises(SourceError, match="permission denied"):
        inputs(tmp_path / "x.json")
