"""Looking for recordings by words: by an index, and by pg_trgm where that exists."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgsim.postgres.connection import Connection
from pgsim.store.files import SQL
from tests.support.documents import mbid
from tests.support.rows import one

TITLES = [
    ("The Beatles", "Hey Jude"),
    ("The Beatles", "Let It Be"),
    ("Beyoncé", "Halo"),
    ("Wilson Pickett", "Hey Jude"),
    ("Björk", "Jóga"),
]


def found(conn: Connection, call: str) -> list[tuple[str, str]]:
    """Artist and title of what a search finds."""
    query = f"SELECT artist, title FROM pgsim.find_recordings({call})"
    return conn.execute(query.encode()).fetchall()


def test_words_are_found_by_the_index(plane: Connection) -> None:
    plane.execute(
        "INSERT INTO pgsim.recording (mbid, artist, title)"
        " SELECT gen_random_uuid(), 'Artist ' || i % 97, 'Title ' || i"
        " FROM generate_series(1, 20000) AS i"
    )
    plane.execute("VACUUM ANALYZE pgsim.recording")
    plan = plane.execute(
        "EXPLAIN SELECT id FROM pgsim.recording AS r"
        " WHERE pgsim.search_words(r.artist, r.title) @@ '''1234'':*B'"
    ).fetchall()
    assert any("recording_words" in line for (line,) in plan), plan
    assert found(plane, "'artist 10 title 1077'")[0] == ("Artist 10", "Title 1077")


def test_a_very_long_title_can_be_stored_and_found(plane: Connection) -> None:
    title = "a word " * 500_000
    plane.execute("INSERT INTO pgsim.recording (mbid, title) VALUES (%s, %s)", (mbid(1), title))
    assert one(plane, "SELECT mbid FROM pgsim.find_recordings('a word')") == mbid(1)


def test_a_score_is_never_above_one(plane: Connection) -> None:
    plane.execute(
        "INSERT INTO pgsim.recording (mbid, artist, title) VALUES (%s, 'Metallica', 'Metallica')",
        (mbid(1),),
    )
    for call in ("'metallica'", "artist => 'metallica', title => 'metallica'"):
        assert one(plane, f"SELECT score FROM pgsim.find_recordings({call})") == 1


@pytest.fixture(scope="module")
def contrib(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """What a search needs, on a server with pg_trgm: the embedded one has no contrib."""
    programs = [
        path
        for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        if Path(f"/usr/share/postgresql/{path.parent.name}/extension/pg_trgm.control").exists()
    ]
    if not programs:
        pytest.skip("no PostgreSQL with pg_trgm under /usr/lib/postgresql")
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path("/tmp") / f"pgsim-trgm-{os.getpid()}"
    folder.mkdir(0o700)
    if user:
        shutil.chown(folder, user)
    try:
        subprocess.run(
            [
                *(programs[0] / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust"),
                *("--locale=C.UTF-8", "--encoding=UTF8", "-N"),
            ],
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        with subprocess.Popen(
            [programs[0] / "postgres", "-D", folder / "data", "-k", folder, "-h", "", "-F"],
            user=user,
            cwd=folder,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                ready = [programs[0] / "pg_isready", "-q", "-h", folder, "-t", "60"]
                for _ in range(600):
                    if subprocess.run(ready, check=False).returncode == 0:
                        break
                dsn = f"host={folder} user=postgres dbname=postgres"
                with psycopg.connect(dsn, autocommit=True) as conn:
                    _prepare(conn)
                    yield conn
            finally:
                server.terminate()
    finally:
        shutil.rmtree(folder)


def _prepare(conn: Connection) -> None:
    """The columns that a search reads; the rest of pgsim needs a newer server, and pgvector."""
    conn.execute('CREATE SCHEMA "odd schema"; CREATE EXTENSION pg_trgm SCHEMA "odd schema"')
    conn.execute("CREATE SCHEMA pgsim; SET search_path = pgsim, pg_temp")
    conn.execute(
        "CREATE TABLE recording (id integer GENERATED ALWAYS AS IDENTITY, mbid uuid, artist text,"
        " title text, album text, year smallint, source_id text, url text)"
    )
    for name in (
        *("indexes/recording_words", "types/found_recording"),
        *("functions/words/search_words", "functions/words/check_question"),
        "functions/questions/find_recordings",
    ):
        conn.execute((SQL / f"{name}.sql").read_bytes())
    conn.cursor().executemany(
        "INSERT INTO recording (mbid, artist, title) VALUES (%s, %s, %s)",
        [(mbid(place), *names) for place, names in enumerate(TITLES)],
    )


@pytest.mark.parametrize(
    ("call", "first"),
    [
        ("'beetles hey jude'", ("The Beatles", "Hey Jude")),
        ("'beatels'", ("The Beatles", "Hey Jude")),
        ("artist => 'beyonze'", ("Beyoncé", "Halo")),
        ("title => 'hey jude', artist => 'pikett'", ("Wilson Pickett", "Hey Jude")),
        ("'bjork joga'", ("Björk", "Jóga")),
    ],
)
def test_words_spelt_otherwise_are_found_where_pg_trgm_is(
    contrib: Connection, call: str, first: tuple[str, str]
) -> None:
    assert found(contrib, call)[0] == first


def test_a_search_leaves_the_settings_of_pg_trgm_as_they_were(contrib: Connection) -> None:
    shown = "SELECT current_setting('pg_trgm.word_similarity_threshold')"
    before = one(contrib, shown)
    with contrib.transaction():
        found(contrib, "'beetles'")
        assert one(contrib, shown) == before


def test_status_says_whether_misspelt_words_are_found(plane: Connection) -> None:
    item = "SELECT value FROM pgsim.status() WHERE item = 'misspelt words'"
    available = one(
        plane, "SELECT count(*) FROM pg_catalog.pg_available_extensions WHERE name = 'pg_trgm'"
    )
    if not available:
        assert one(plane, item) == "are not found: the server has no pg_trgm"
        return
    assert one(plane, item) == "are not found: CREATE EXTENSION pg_trgm"
    plane.execute("CREATE SCHEMA odd; CREATE EXTENSION pg_trgm SCHEMA odd")
    assert one(plane, item) == "are found, by pg_trgm"


def test_without_pg_trgm_only_words_that_are_there_are_found(plane: Connection) -> None:
    plane.cursor().executemany(
        "INSERT INTO pgsim.recording (mbid, artist, title) VALUES (%s, %s, %s)",
        [(mbid(place), *names) for place, names in enumerate(TITLES)],
    )
    assert found(plane, "'beatels'") == []
    assert found(plane, "'beetles hey jude'")[0] == ("The Beatles", "Hey Jude")
