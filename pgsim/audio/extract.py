"""Audio files to lines of NDJSON that `pgsim load` reads, measured by worker processes.

A line names its extractor, the recording, the file and the time of its last change, by which a
later run knows which files are done. Lines are in the order in which they were finished.
"""

import fcntl
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import orjson

from pgsim.audio.extractors import EXTRACTORS, installed_extractor
from pgsim.audio.files import AudioFile, ExtractionError, content_hash, find_audio
from pgsim.audio.tags import read_tags
from pgsim.errors import PgsimError, UsageError
from pgsim.processes import in_workers
from pgsim.progress import Advance, Say, silent, still
from pgsim.sources.metadata import extract_metadata
from pgsim.sources.submission import own_mbid
from pgsim.threads import cores

SUFFIX = ".ndjson"

# Path, size and time of the last change: a file with the same ones has not changed.
Identity = tuple[str, int, int]


@dataclass(slots=True)
class ExtractReport:
    """The account of one run: found = extracted + unchanged + rejected."""

    found: int = 0
    extracted: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of NDJSON, and the SHA-256 of the audio file that it describes."""

    sha256: str
    data: bytes


def extract(
    paths: Iterable[Path],
    output: Path,
    extractor: str = "essentia",
    workers: int | None = None,
    say: Say = silent,
    advance: Advance = still,
) -> ExtractReport:
    """Measure audio files, and those in folders, and append a line for each to `output`.

    They are measured by worker processes (None: one a core). A file that has a line already, or is
    listed in `output`.rejects, is not measured again unless it has changed since. A run that was
    stopped at any point and is run again goes on; a line that was cut off is made again. `say`
    receives why a file has no line, and `advance` how many more files are done. UsageError if the
    extractor is not installed, or `output` holds something else.
    """
    if output.suffix != SUFFIX:
        raise UsageError(
            f"cannot write {output}: its name has to end in {SUFFIX} for load to read it"
        )
    installed_extractor(extractor)
    found, closed = find_audio(paths)
    for reason in closed:
        say(f"cannot read {reason}")
    report = ExtractReport(len(found))
    with _opened(output) as lines, _opened(rejects_of(output)) as rejects:
        done, hashes = _read_lines(lines, output, extractor)
        rejected = _read_rejects(rejects, rejects_of(output), found) - done
        report.unchanged = sum(_identity(each) in done for each in found)
        report.rejected = sum(_identity(each) in rejected for each in found)
        advance(report.unchanged + report.rejected)
        known = done | rejected
        waiting = [each for each in found if _identity(each) not in known]
        measure = partial(make_line, extractor)
        for audio, answer in in_workers(measure, waiting, workers or cores()):
            if isinstance(answer, Line) and answer.sha256 in hashes:
                answer = ExtractionError(f"the same bytes as {hashes[answer.sha256]}")
            if isinstance(answer, Line):
                hashes[answer.sha256] = audio.name
                _append(lines, output, answer.data)
                report.extracted += 1
            else:
                say(f"{audio.name}: {answer}")
                _append(rejects, rejects_of(output), _reject(audio, answer))
                report.rejected += 1
            advance(1)
    if not rejects_of(output).stat().st_size:
        rejects_of(output).unlink()
    return report


def rejects_of(file: Path) -> Path:
    """Return the file that lists the files without a line and why; `load` does not read it."""
    return file.with_name(f"{file.name}.rejects")


def make_line(extractor: str, audio: AudioFile) -> Line:
    """Return the line of one file: its measurements, its tags, its MBID and number.

    The MBID is that of the tags, or else made of the content. The number is made of the path, so
    that two files of one recording are two submissions. ExtractionError if the file cannot be
    measured, PgsimError if it cannot be read at the moment.
    """
    try:
        sha256 = content_hash(audio.path)
    except OSError as error:
        raise PgsimError(f"cannot be read: {error.strerror}") from None
    document = EXTRACTORS[extractor].document(audio.path)
    tags = read_tags(audio.path)
    document["metadata"]["tags"] = {"title": [Path(audio.name).stem], **tags}
    metadata, _ = extract_metadata(document)
    line = {
        "extractor": extractor,
        "mbid": metadata.get("recording_mbid") or str(own_mbid("audio", sha256)),
        "number": zlib.crc32(audio.name.encode()) >> 1,
        "source_id": audio.name,
        "extra": {"sha256": sha256, "bytes": audio.size, "modified": audio.modified},
        **document,
    }
    return Line(sha256, orjson.dumps(line))


def _identity(audio: AudioFile) -> Identity:
    return audio.name, audio.size, audio.modified


def _read_lines(
    stream: IO[bytes], file: Path, extractor: str
) -> tuple[set[Identity], dict[str, str]]:
    """Return which files have a line, and the path of each by its SHA-256."""
    done, hashes = set(), {}
    for line in _entries(stream, file, b'{"extractor":'):
        if line["extractor"] != extractor:
            raise UsageError(
                f"{file} holds lines of extractor '{line['extractor']}', not '{extractor}':"
                " give another `output`"
            )
        extra = line["extra"]
        done.add((line["source_id"], extra["bytes"], extra["modified"]))
        hashes[extra["sha256"]] = line["source_id"]
    return done, hashes


def _read_rejects(stream: IO[bytes], file: Path, found: Iterable[AudioFile]) -> set[Identity]:
    """Return which files need not be tried again; remove the others from the file of rejects."""
    now = {each.name: _identity(each) for each in found}
    kept = {}
    for entry in _entries(stream, file, b'{"path":'):
        if "bytes" in entry:
            identity = entry["path"], entry["bytes"], entry["modified"]
            if now.get(entry["path"], identity) == identity:
                kept[identity] = entry
    stream.truncate(0)
    for entry in kept.values():
        _append(stream, file, orjson.dumps(entry))
    return set(kept)


def _reject(audio: AudioFile, reason: PgsimError) -> bytes:
    """Return a line of the file of rejects; one without size and time is tried again next time."""
    entry: dict[str, Any] = {"path": audio.name, "reason": str(reason)}
    if isinstance(reason, ExtractionError):
        entry |= {"bytes": audio.size, "modified": audio.modified}
    return orjson.dumps(entry)


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """Open a file to read and append to, for one run at a time."""
    try:
        stream = file.open("a+b")
    except OSError as error:
        raise PgsimError(f"cannot write {file}: {error.strerror}") from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PgsimError(f"{file} is being written by another pgsim extract") from None
        yield stream


def _entries(stream: IO[bytes], file: Path, begins: bytes) -> Iterator[dict[str, Any]]:
    """Yield the lines of a file that this module wrote; cut off an incomplete one at the end."""
    stream.seek(0)
    end = 0
    for number, line in enumerate(stream, start=1):
        is_ours = line.startswith(begins[: len(line)])
        if is_ours and not line.endswith(b"\n"):
            break
        try:
            entry = orjson.loads(line) if is_ours else None
        except orjson.JSONDecodeError:
            entry = None
        if entry is None:
            raise UsageError(
                f"{file}: pgsim extract did not write line {number}; give another `output`"
            )
        yield entry
        end += len(line)
    stream.truncate(end)


def _append(stream: IO[bytes], file: Path, data: bytes) -> None:
    try:
        stream.write(data + b"\n")
        stream.flush()
    except OSError as error:
        raise PgsimError(f"cannot write {file}: {error.strerror}") from None
