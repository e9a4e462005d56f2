"""What commands work on: databases that rooms copy, and files; each is made when it is needed."""

import os
import random
from contextlib import closing
from functools import cached_property
from itertools import count
from pathlib import Path

from pgsim.errors import PgsimError
from pgsim.postgres.connection import connect
from tests.crash.campaign import Campaign
from tests.crash.room import Room
from tests.support.archives import write_archives
from tests.support.audio import clicks, noise, write_audio
from tests.support.clustered import copy_in, make_collection
from tests.support.documents import collection, low_level, mbid, write_folder, write_lines
from tests.support.paths import CHECKOUT

RECORDINGS = 2000
DIMENSIONS = 68  # of the profile acousticbrainz
DEMO = CHECKOUT / "pgsim" / "demo" / "recordings.ndjson.gz"


class Bases:
    """The bases of a campaign."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._folder = campaign.inputs
        self._numbers = count(1)

    @cached_property
    def documents(self) -> list[Path]:
        """Documents of 250 recordings, as lines and in a folder; some are broken."""
        whole = collection(250)
        lines = write_lines(self._folder / "documents.ndjson", whole[:400])
        with lines.open("a") as file:
            file.writelines(f"{line}\n" for line in ("{}", "[1]", '{"mbid": 1}', "half a l"))
        folder = write_folder(self._folder / "documents", whole[400:])
        (folder / "broken.json").write_text("{")
        return [_settled(lines), _settled(folder)]

    @cached_property
    def archives(self) -> list[Path]:
        """Two `.tar.zst` of high-level and one of low-level documents: 1,560 in all."""
        folder = self._folder / "archives"
        folder.mkdir()
        write_archives(folder, "highlevel", 1500, archives=2, seed=5)
        write_archives(folder, "lowlevel", 60, seed=5)
        return [_settled(folder)]

    @cached_property
    def audio(self) -> Path:
        """A folder of 24 short pieces, a file that is no audio, and one that is too short."""
        folder = self._folder / "audio"
        for number in range(24):
            make = clicks(90 + number, 7) if number % 2 else noise(6.5, seed=number)
            write_audio(folder / f"album {number % 3}" / f"{number}.wav", make)
        (folder / "broken.wav").write_bytes(b"RIFF, or so")
        write_audio(folder / "short.wav", noise(0.5))
        return folder

    @cached_property
    def redirects(self) -> Path:
        """A CSV of 60,000 redirects to recordings and to one another."""
        chance = random.Random(11)
        path = self._folder / "redirects.csv"
        with path.open("w") as file:
            for number in range(60_000):
                old, new = mbid(10_000 + number), mbid(chance.randrange(10_000 + number))
                file.write(f"{old},{new}\n")
        return path

    @cached_property
    def names(self) -> Path:
        """A CSV with an album for each recording of `unlisted`, which has none, and others."""
        path = self._folder / "names.csv"
        known = make_collection(RECORDINGS, DIMENSIONS, seed=3).mbids
        with path.open("w") as file:
            file.write("recording_mbid,release_name\n")
            for number, each in enumerate(known):
                file.write(f"{each},Album {number}\n{mbid(number)},Another\n")
        return path

    @cached_property
    def acousticbrainz(self) -> str:
        """A database with pgsim and no recording."""
        return self._make("acousticbrainz", ["init"])

    @cached_property
    def essentia(self) -> str:
        """The same, for the demo's recordings."""
        return self._make("essentia", ["init", "--profile", "essentia"])

    @cached_property
    def outdated(self) -> str:
        """A matrix, and functions that an upgrade has to mend: one is missing, one is another."""
        self._campaign.copy(self.matrix, "base_outdated", on_small_disk=False)
        url = self._campaign.server.conninfo("base_outdated")
        with closing(connect(url, autocommit=True)) as conn:
            conn.execute("DROP FUNCTION pgsim.find_recordings")
            conn.execute(
                "CREATE OR REPLACE FUNCTION pgsim.shown_similarity() RETURNS text"
                " LANGUAGE sql STABLE AS $$ SELECT 'similarity_a' $$"
            )
        return "outdated"

    @cached_property
    def loaded(self) -> str:
        """Recordings and lists; the feature sets are fitted on a tenth of the recordings."""
        few = write_lines(self._folder / "few.ndjson", collection(30))
        late = [low_level(number, lacks=["mfcc"]) for number in range(300, 330)]
        rest = write_lines(self._folder / "rest.ndjson", [*collection(300)[60:], *late])
        return self._make("loaded", ["init"], ["load", few], ["load", rest], ["refresh"])

    @cached_property
    def unindexed(self) -> str:
        """4,000 recordings without index and lists."""
        return self._make("unindexed", ["init"], recordings=4000)

    @cached_property
    def matrix(self) -> str:
        """Recordings with index and exact lists; public.original keeps their vectors."""
        return self._make(
            "matrix", ["init"], ["index"], ["rebuild", "--engine", "exact"], recordings=RECORDINGS
        )

    @cached_property
    def unlisted(self) -> str:
        """The same recordings without any list."""
        return self._make("unlisted", ["init"], ["index"], recordings=RECORDINGS)

    def exported(self, suffix: str) -> Path:
        """The matrix as a file, or a folder."""
        return self._written("export", f"matrix{suffix}")

    def dumped(self, suffix: str) -> Path:
        """A dump of the matrix."""
        return self._written("dump", f"matrix{suffix}")

    def _written(self, command: str, name: str) -> Path:
        path = self._folder / name
        if not path.exists():
            self._run(f"base_{self.matrix}", command, path)
        return path

    def _make(self, name: str, *commands: list[str | Path], recordings: int = 0) -> str:
        """Make a database: its first command installs pgsim, the others follow the recordings."""
        url = self._campaign.make_base(name)
        first, *others = commands
        self._run(f"base_{name}", *first)
        if recordings:
            with closing(connect(url, autocommit=True)) as conn:
                copy_in(conn, make_collection(recordings, DIMENSIONS, seed=3))
                conn.execute("CREATE TABLE public.original AS SELECT id, vector FROM recording")
        for command in others:
            self._run(f"base_{name}", *command)
        return name

    def _run(self, database: str, *arguments: str | Path) -> None:
        room = Room(self._campaign, f"making_{next(self._numbers)}", None)
        room.url = database
        done = room.finish(*map(str, arguments))
        if done.code:
            raise PgsimError(f"pgsim {' '.join(map(str, arguments))} failed: {done.err}")


def _settled(path: Path) -> Path:
    """Let files look old: of files that are seconds old, a load does not note how far it came."""
    for each in path.rglob("*") if path.is_dir() else [path]:
        os.utime(each, (0, 0))
    return path
