"""The table of public data sets: its two commands load a small file of each one's form."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pgsim.cli import run
from pgsim.postgres.connection import connect
from tests.support.paths import CHECKOUT
from tests.support.public_tables import MAKERS, ROWS

PAGE = CHECKOUT / "docs" / "howto" / "load.md"
COMMAND = re.compile(r"`pgsim --database (\w+) (init|load) ([^`]+)`")
# The commands by the name of their database, which is also that of what makes the files.
SETS: dict[str, list[list[str]]] = {}
for _name, _command, _words in COMMAND.findall(PAGE.read_text(encoding="utf-8")):
    SETS.setdefault(_name, []).append([_command, *_words.split()])

# What the fourth recording, by title, and all recordings have.
FOURTH: dict[str, dict[str, Any]] = {
    "fma": {
        "title": "Tune 3",
        "artist": "Artist 0",
        "album": "Album 0",
        "year": 1993,
        "genre": "jazz",
        "length": 163,
        "source_id": "5",
    },
    "spotify_114k": {
        "title": "Tune 3",
        "artist": "Artist 3, Guest",
        "genres": ["tag:acoustic", "tag:singer-songwriter"],
        "length": 200.003,
    },
    "spotify_160k": {
        "title": "Tune 3",
        "artist": "Artist 3, L'Autre",
        "year": 1924,
        "length": 168.336,
    },
    "spotify_1m": {"title": "Tune 3", "artist": "Artist 3", "year": 2003, "length": 240.169},
    "gtzan": {"genre": "disco", "length": 30.013, "source_id": "disco.00003.wav"},
    "magnatagatune": {"title": "Tune 3", "artist": "Artist 0", "album": "Album"},
    "mtg_jamendo": {
        "title": "Tune 3",
        "artist": "Artist 0",
        "year": 2004,
        "genre": "rock",
        "length": 123.6,
        "source_id": "217",
    },
    "bliss_mixer": {
        "title": "Tune 3",
        "artist": "Artist 0",
        "album": "Album 0",
        "genres": ["genre:folk", "genre:singer/songwriter"],
        "length": 203,
        "source_id": "Artist/Album/03.flac",
    },
    "blissify": {
        "title": "Tune 3",
        "artist": "Artist 0",
        "album": "Album 0",
        "genre": "folk",
        "length": 203,
        "source_id": "/music/03.flac",
    },
    "mstream": {
        "title": "Tune 3",
        "artist": "Artist 0",
        "genre": "folk, world, & country---folk",
        "length": 203.5,
        "source_id": f"anon:{3:032x}",
    },
}
DIMENSIONS = {"fma": 518, "gtzan": 57, "magnatagatune": 1608, "mtg_jamendo": 1280}
DIMENSIONS |= {"bliss_mixer": 23, "blissify": 23, "mstream": 1280}


def test_the_page_names_every_set_that_can_be_made() -> None:
    assert set(SETS) == set(MAKERS) == set(FOURTH)
    assert all([command for command, *_ in each] == ["init", "load"] for each in SETS.values())


@pytest.mark.parametrize("name", SETS)
def test_a_public_data_set_is_loaded_by_two_commands(
    name: str,
    new_database: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    MAKERS[name](tmp_path)
    monkeypatch.chdir(tmp_path)
    url = new_database()
    init, load = SETS[name]
    assert run(["--database", url, *init]) == 0, capsys.readouterr()
    capsys.readouterr()
    assert run(["--database", url, *load, "--json"]) == 0, capsys.readouterr()
    report = json.loads(capsys.readouterr().out)
    assert (report["recordings"], report["rejected"]) == (ROWS, 0)
    assert report["without_vector"] == report["longer_than_6_hours"] == 0
    names = list(FOURTH[name])
    with connect(url) as conn:
        number = "regexp_replace(coalesce(title, source_id), '[^0-9]', '', 'g')::integer"
        rows = conn.execute(
            f"SELECT {', '.join(names)}, public.vector_dims(vector) FROM pgsim.recording"
            f" ORDER BY {number} OFFSET 3 LIMIT 1".encode()
        ).fetchall()
    *values, dimensions = rows[0]
    found = dict(zip(names, values, strict=True))
    if "length" in found:
        found["length"] = round(found["length"], 3)
    assert found == FOURTH[name]
    assert dimensions == DIMENSIONS.get(name, 9)
