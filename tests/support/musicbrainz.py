"""Files true to the form of what MusicBrainz and MetaBrainz publish, with rows made up for tests.

The dump's tables are as COPY of PostgreSQL writes them, with the columns of schema 31 (PyPI's
mbdata 31.0.1 has its SQL); its archive begins with the same five files, and has its tables by name.
The canonical archive has the names, the order and the headers of ListenBrainz's dumps/mapping.py.
"""

import bz2
import csv
import io
import lzma
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import zstandard

ABOUT = ("TIMESTAMP", "COPYING", "README", "REPLICATION_SEQUENCE", "SCHEMA_SEQUENCE")
CREATED = "2011-05-16 14:57:06.530063+00"
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
}
CANONICAL = {
    "canonical_musicbrainz_data.csv": (
        *("id", "artist_credit_id", "artist_mbids", "artist_credit_name", "release_mbid"),
        *("release_name", "recording_mbid", "recording_name", "combined_lookup", "score"),
    ),
    "canonical_recording_redirect.csv": (
        *("recording_mbid", "canonical_recording_mbid", "canonical_release_mbid"),
    ),
    "canonical_release_redirect.csv": (
        *("release_mbid", "canonical_release_mbid", "release_group_mbid"),
    ),
}
Rows = Sequence[Sequence[Any]]


def copied(rows: Rows) -> bytes:
    """Rows as COPY writes them: None is \\N; backslashes, tabs and ends of lines are escaped."""
    marks = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
    lines = (
        "\t".join("\\N" if cell is None else str(cell).translate(marks) for cell in row)
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines).encode()


def recording(number: int, gid: Any, name: str, credit: int = 1, length: int | None = None) -> Any:
    """A row of the table `recording`; `length` is in milliseconds."""
    return (number, gid, name, credit, length, "", 0, CREATED, "f")


def redirect(gid: Any, number: int) -> Any:
    """A row of the table `recording_gid_redirect`."""
    return (gid, number, CREATED)


def write_tables(folder: Path, tables: Mapping[str, Rows]) -> Path:
    """Write tables of the dump as files of a folder; returns the folder."""
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        (folder / name).write_bytes(copied(rows))
    return folder


def write_dump(path: Path, tables: Mapping[str, Rows]) -> Path:
    """Write the archive of a dump, compressed as its name says; returns its path."""
    about = dict.fromkeys(ABOUT, b"of this dump\n")
    inside = {f"mbdump/{name}": copied(tables[name]) for name in sorted(tables)}
    return _write_tar(path, about | inside)


def write_canonical(path: Path, tables: Mapping[str, Rows]) -> Path:
    """Write the archive of the canonical data; returns its path."""
    top = path.name.partition(".")[0]
    inside = {
        f"{top}/canonical/{name}": with_header(name, tables.get(name, ())) for name in CANONICAL
    }
    about = {f"{top}/{name}": b"of this dump\n" for name in ("TIMESTAMP", "COPYING")}
    return _write_tar(path, about | inside)


def with_header(name: str, rows: Rows) -> bytes:
    """A CSV of the canonical data: its header and rows."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([CANONICAL[name], *rows])
    return text.getvalue().encode()


def _write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    compress = COMPRESSIONS[path.suffix if path.suffix != ".tar" else ""]
    path.write_bytes(compress(data.getvalue()))
    return path
