"""The blocks of the README and of the pages beside the code run, and print what they show.

After a change that is meant: PGSIM_GOLDEN=write make check, and read the difference in git.
"""

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest

from pgsim import embedded
from pgsim.cli import app
from pgsim.features.profile import read_profile
from tests.support.paths import CHECKOUT
from tests.support.records import example, write_records

# In the order in which they are read: one page's files are there for the next.
PAGES = [
    CHECKOUT / "README.md",
    *(
        CHECKOUT / "pgsim" / folder / "README.md"
        for folder in ("sources", "features/profiles", "transfer/export")
    ),
]
README = PAGES[0].read_text(encoding="utf-8")


def blocks_of(page: Path) -> list[tuple[str, str, str]]:
    """The fenced blocks of a page: their kind, their text, and what is shown as printed by them."""
    block = r"^```(\w+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?"
    return re.findall(block, page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def trimmed(text: str) -> str:
    """Without blanks at line ends and empty lines around: Markdown and editors drop them."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


@pytest.fixture
def workplace(tmp_path: Path, server: embedded.Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `recordings/`, and the tests' server as the embedded one."""
    monkeypatch.setenv("PGSIM_HOME", str(server.home))
    monkeypatch.setenv("PGSIM_DATABASE_URL", "music")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    pgsim = bin_folder / "pgsim"
    pgsim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pgsim "$@"\n')
    pgsim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    (tmp_path / "recordings").mkdir()
    with as_file(files("pgsim.demo") / "recordings.ndjson.gz") as path:
        shutil.copy(path, tmp_path / "recordings")
    write_own_files(tmp_path)
    return tmp_path


def write_own_files(folder: Path) -> None:
    """The tables, clips and lines of which the page speaks, made up, and its own source."""
    values = random.Random(1)
    timbres = [[round(values.gauss(0, 9), 3) for _ in range(13)] for _ in range(40)]
    head = [*(f"timbre{i}" for i in range(1, 13)), "tempo"]
    rows = [["song_id", "title", "artist", "year", "style", *head]]
    rows += [[f"S{i}", f"T{i}", "A", 1980 + i, "rock", *row] for i, row in enumerate(timbres)]
    (folder / "songs.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    ids = np.arange(40)
    noise = np.random.default_rng(1).lognormal(size=(40, 1608))
    np.savez(folder / "features.npz", clip_id=ids, rp=noise[:, :1440], ssd=noise[:, 1440:])
    titles = "".join(f"{i},Title {i},Artist,Album,\n" for i in ids)
    (folder / "metadata.csv").write_text(f"clip_id,title,artist,album,url\n{titles}")
    (folder / "audioset").mkdir()
    clips = [example(f"v{i}", [values.randbytes(128)], labels=[i % 4]) for i in range(40)]
    write_records(folder / "audioset" / "clips.tfrecord", clips)
    lines = [" ".join(map(str, [f"L{i}", f"T{i}", *row])) for i, row in enumerate(timbres)]
    (folder / "songs.lines").write_text("\n".join(lines))
    [source] = [text for _, text, _ in blocks_of(PAGES[0]) if "def submission" in text]
    (folder / "my_source.py").write_text(source)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PGCLIENTENCODING": "UTF8", "PYTHONIOENCODING": "utf-8"},
    )
    # An error is an answer only where the README shows one.
    return done.stdout + "".join(
        line + "\n"
        for line in done.stderr.splitlines()
        if done.returncode or line.startswith(("ERROR", "HINT"))
    )


def test_every_block_runs_and_prints_what_the_page_says(workplace: Path) -> None:
    # The first question of the README is asked of the database that it makes further down.
    (workplace / "prepare.log").write_text(
        run(
            [
                "sh",
                "-ec",
                "pgsim init --profile essentia; pgsim load recordings/; pgsim refresh",
            ],
            workplace,
        )
    )
    tested = 0
    for page in PAGES:
        for kind, text, shown in blocks_of(page):
            if kind == "sql":
                psql = ["pgsim", "psql", "--", "-X", "-v", "SHOW_CONTEXT=never"]
                printed = run([*psql, "-P", "footer=off", "-c", text], workplace)
            elif kind == "sh":
                printed = run(["sh", "-ec", text], workplace)
            elif kind == "python" and "pyspark" not in text:  # tests/slow runs that
                printed = run([sys.executable, "-c", text], workplace)
            else:
                continue
            tested += 1
            if not shown:
                assert not re.search("^(ERROR|pgsim:|Traceback)", printed, re.MULTILINE), printed
            elif os.environ.get("PGSIM_GOLDEN") == "write":
                written, between = page.read_text(encoding="utf-8"), f"{text}```\n\n```text\n"
                written = written.replace(between + shown, f"{between}{trimmed(printed)}\n", 1)
                page.write_text(written, encoding="utf-8")
            else:
                assert trimmed(printed) == trimmed(shown), text
    assert tested > 12


def test_pages_link_to_what_is_there() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for link, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
            target = (page.parent / link) if link else page
            assert target.is_file(), link
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            names = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
            assert not heading or heading in names, f"{page}: {link}#{heading}"


def test_the_profiles_of_the_pages_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    names = []
    for text in (text for page in PAGES for kind, text, _ in blocks_of(page) if kind == "toml"):
        path.write_text(text)
        names.append(read_profile(str(path)).name)
        assert tomllib.loads(text)["name"] == names[-1]
    assert names == ["mine", "songs"]


def test_the_readme_counts_the_recordings_in_the_box() -> None:
    with as_file(files("pgsim.demo") / "recordings.ndjson.gz") as path:
        documents = [json.loads(line) for line in gzip.open(path)]
    games = {document["metadata"]["tags"]["album"][0] for document in documents}
    assert f"among {len(documents)}\nrecordings of {len(games)} games" in README


def test_every_command_is_in_the_readme() -> None:
    names = [info.name or info.callback.__name__ for info in app.registered_commands]
    for name in names:
        assert re.search(rf"(pgsim (--database \w+ )?{name}\b|`{name}|make {name})", README), name


@pytest.mark.parametrize("kind", ["functions", "tables", "views"])
def test_every_sql_object_that_a_user_meets_is_in_the_readme(kind: str) -> None:
    inner = {
        "similarity_a", "similarity_b", "matches", "resolve_filter", "check_question",
        "nearest_exact", "nearest_approximate", "nearest_matching", "live_reach",
        "pending_recordings", "listed_neighbours", "answer", "distance_answer", "stored_list",
        "merge_features", "store_submissions", "store_recordings", "exact_neighbours",
        "begin_rebuild", "finish_rebuild", "refresh_lock",
        "take_stale", "mark_unlisted", "empty_stale", "store_lists", "show_similarity",
        "shown_similarity", "empty_hidden_similarity", "status", "refresh_batch", "merged_list",
        "recording_changed", "recording_truncated", "indexed_neighbours", "enter_lists",
        "artist_key", "title_key", "distance", "known_metrics", "draw_pairs", "sample_pairs",
        "resolve_measure", "measured_similarity", "measured_answer", "similarity_bound",
        "require_sets", "exponents", "seed_vectors", "kept_by_rules", "qualifying",
        "nearest_answers", "nearest_by_rank", "explain_set", "redirected_recording",
        "store_redirects", "search_words", "distance_statistics", "index_metric", "recording_of",
        "store_reaches",
    }  # fmt: skip
    for path in (CHECKOUT / "sql" / kind).glob("*.sql"):
        assert path.stem in inner or path.stem in README, path
