"""Makes recordings.ndjson.gz from Debian's packages: `python -m pgsim.demo.build -o FILE`.

Each package is downloaded and unpacked by apt-get and dpkg-deb (no root needed), its music found,
analysed by Essentia and by MusiCNN, and cut down to what both profiles read. Everything is kept in
the work folder, whole documents included, so that a run that was stopped goes on where it stood.
Needs Debian 12, the extra `pgsim[audio]`, and MusiCNN as `pgsim extract` asks for it.
"""

import argparse
import gzip
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

import orjson

from pgsim.audio.extractors import installed_extractor
from pgsim.demo.line import line
from pgsim.demo.packages import Package, matches, read_packages
from pgsim.demo.profile import EMBEDDING, both_profiles
from pgsim.errors import PgsimError, UsageError
from pgsim.processes import in_workers
from pgsim.sources.submission import own_mbid
from pgsim.threads import cores

AUDIO = {".ogg", ".oga", ".flac", ".mp3", ".wav"}
ARCHIVES = {".zip", ".pk3"}
# Folders of effects and voices; some games keep their music beside them, under its name.
EFFECTS = re.compile(r"/(ambient|sfx|sounds|speech|voices|weather)/(?!music)", re.IGNORECASE)
SHORTEST = 20.0
EXTRACTORS = {"essentia": "documents", EMBEDDING: EMBEDDING}  # and where their documents are kept


@dataclass(frozen=True, slots=True)
class Recording:
    """One audio file of a package; `path` is its path there, through archives too."""

    package: Package
    path: str
    file: Path

    @property
    def source_id(self) -> str:
        """`package/path`."""
        return f"{self.package.name}/{self.path}"

    @property
    def mbid(self) -> UUID:
        """The recording's own MBID."""
        return own_mbid("debian-music", self.source_id)


def build(
    packages: Iterable[Package], work: Path, workers: int
) -> tuple[list[bytes], Counter[str]]:
    """The cut-down documents of these packages, one JSON line each, and what was counted."""
    for name in EXTRACTORS:
        installed_extractor(name)
    profile = both_profiles()
    counts: Counter[str] = Counter()
    recordings = []
    for package in packages:
        for recording in find_recordings(package, fetch(package.name, work)):
            counts["seen"] += 1
            if reason := why_left_out(recording):
                counts[reason] += 1
            else:
                recordings.append(recording)
        say(f"{package.name}: {counts['seen']} audio files seen, {len(recordings)} recordings")
    folders = {name: work / folder for name, folder in EXTRACTORS.items()}
    failed: set[UUID] = set()
    for name, folder in folders.items():
        failed |= extract(recordings, name, folder, workers)
    counts["not analysed"] = len(failed)
    lines = []
    known: set[str] = set()
    for recording in recordings:
        if recording.mbid in failed:
            continue
        document, heard = (
            orjson.loads(document_file(folder, recording).read_bytes())
            for folder in folders.values()
        )
        document[EMBEDDING] = heard[EMBEDDING]
        audio_hash = document["metadata"]["audio_properties"]["md5_encoded"]
        if audio_hash in known:
            counts["same audio as another"] += 1
            continue
        known.add(audio_hash)
        cut = line(document, recording.mbid, recording.package, recording.path, profile)
        lines.append(orjson.dumps(cut))
    counts["recordings"] = len(lines)
    return lines, counts


def fetch(name: str, work: Path) -> Path:
    """The folder with the unpacked package, downloaded if it is not there yet."""
    unpacked = work / "unpacked" / name
    if unpacked.exists():
        return unpacked
    archive = download(name, work / "packages")
    partial = unpacked.with_name(f".{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    run("dpkg-deb", "-x", str(archive), str(partial), folder=work)
    for path in [each for each in partial.rglob("*") if each.suffix in ARCHIVES]:
        unpack_archive(path)
    partial.rename(unpacked)
    return unpacked


def download(name: str, downloads: Path) -> Path:
    """The package's .deb file, from Debian's archive unless it is there already."""
    if not list(downloads.glob(f"{name}_*.deb")):
        partial = downloads / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        run("apt-get", "download", name, folder=partial)
        for file in partial.iterdir():
            file.rename(downloads / file.name)
        partial.rmdir()
    return max(downloads.glob(f"{name}_*.deb"))


def unpack_archive(path: Path) -> None:
    """Put a folder of its audio members in the place of an archive."""
    archive = path.rename(path.with_name(f".{path.name}"))
    with ZipFile(archive) as members:
        for name in members.namelist():
            if Path(name).suffix.lower() in AUDIO:
                members.extract(name, path)
    archive.unlink()


def find_recordings(package: Package, folder: Path) -> Iterator[Recording]:
    """Every audio file of an unpacked package, by path; links are the same file again."""
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in AUDIO and file.is_file() and not file.is_symlink():
            yield Recording(package, file.relative_to(folder).as_posix(), file)


def why_left_out(recording: Recording) -> str | None:
    """Why a file is no recording of music, in words to count; None where it is one."""
    if EFFECTS.search(f"/{recording.path}") or matches(recording.path, recording.package.effects):
        return "effect or voice"
    seconds = length(recording.file)
    if seconds is None:
        return "unreadable"
    return "too short" if seconds < SHORTEST else None


def length(file: Path) -> float | None:
    """Seconds of an audio file; None where its header cannot be read."""
    import mutagen

    try:
        header = mutagen.File(file)
    except mutagen.MutagenError as error:
        say(f"{file}: {error}")
        return None
    return None if header is None else float(header.info.length)


def extract(
    recordings: Iterable[Recording], extractor: str, documents: Path, workers: int
) -> set[UUID]:
    """Analyse what has no document yet; returns the recordings that could not be analysed."""
    documents.mkdir(parents=True, exist_ok=True)
    waiting = {
        each.file: each for each in recordings if not document_file(documents, each).exists()
    }
    failed = set()
    analyse = installed_extractor(extractor).document
    for done, (file, document) in enumerate(in_workers(analyse, waiting, workers), start=1):
        recording = waiting[file]
        if isinstance(document, PgsimError):
            failed.add(recording.mbid)
            say(f"cannot analyse {file}: {document}")
            continue
        target = document_file(documents, recording)
        partial = target.with_suffix(".partial")
        partial.write_bytes(orjson.dumps(document))
        partial.rename(target)
        say(f"analysed {done} of {len(waiting)}: {recording.source_id}")
    return failed


def document_file(documents: Path, recording: Recording) -> Path:
    """Return the path of a recording's whole document."""
    return documents / f"{recording.mbid}.json"


def run(*command: str, folder: Path) -> None:
    """Run a Debian tool in a folder; PgsimError has its last words."""
    try:
        # Package names come from packages.toml.
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise UsageError(f"{command[0]} is not there: the script needs Debian") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise PgsimError(f"{' '.join(command)}: {last}") from None


def say(message: str) -> None:
    """A line of progress."""
    print(message, file=sys.stderr, flush=True)


def write(lines: Iterable[bytes], file: Path) -> None:
    """The same lines always make the same bytes."""
    with file.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        for each in lines:
            packed.write(each + b"\n")


def main() -> None:
    """Build the file, and print what was counted."""
    parser = argparse.ArgumentParser(prog="python -m pgsim.demo.build", description=__doc__)
    parser.add_argument("--packages", nargs="+", metavar="NAME", help="only these packages")
    parser.add_argument("--work", type=Path, default=Path("demo-work"), help="folder to keep")
    parser.add_argument("--workers", type=int, default=cores(), help="processes")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .ndjson.gz to write")
    given = parser.parse_args()
    try:
        lines, counts = build(read_packages(given.packages), given.work.resolve(), given.workers)
        write(lines, given.output)
    except PgsimError as error:
        say(f"error: {error}")
        sys.exit(error.exit_code)
    for what, number in counts.items():
        print(f"{number:6d} {what}")
    print(f"{given.output.stat().st_size:6d} bytes in {given.output}")


if __name__ == "__main__":
    main()
