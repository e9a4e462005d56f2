"""Servers that are set up in other ways: publications, timeouts, encodings, styles, two phases.

Each on PostgreSQL 18, and on 16 among the slow tests.
"""

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

import pgsim
from pgsim import embedded
from pgsim.cli import run
from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import client_program, connect
from pgsim.postgres.session import TIMEOUTS, TIMEOUTS_17
from pgsim.store import schema
from pgsim.store.finding import NOTE, PROBLEM, WARNING
from pgsim.transfer.dump import dump, restore
from tests.support.documents import collection, low_level, mbid, write_lines
from tests.support.exactness import assert_lists_are_exact
from tests.support.odd import RECORDINGS, New, commands, contents, execute, setting, wrongs
from tests.support.rows import one


@pytest.mark.parametrize(
    "what",
    ["FOR ALL TABLES", pytest.param("FOR TABLES IN SCHEMA pgsim", marks=pytest.mark.slow)],
)
def test_every_table_may_be_published(new: New, tmp_path: Path, what: str) -> None:
    conninfo = new()
    execute(conninfo, f"CREATE PUBLICATION everything {what}")
    write_lines(tmp_path / "more.ndjson", collection(RECORDINGS + 20)[RECORDINGS:])
    (tmp_path / "redirects.csv").write_text(f"{mbid(900)},{mbid(5)}\n")
    (tmp_path / "names.csv").write_text(f"recording_mbid,release_name\n{mbid(5)},Album\n")
    commands(
        conninfo,
        tmp_path,
        "load FOLDER/more.ndjson",
        "load --again FOLDER/more.ndjson",
        "refresh",
        "redirects FOLDER/redirects.csv",
        "names FOLDER/names.csv",
        "fuse --refit",
        "refresh",
        "rebuild --engine postgres",
        "rebuild --engine exact",
        "export FOLDER/matrix.csv",
        "import FOLDER/matrix.csv",
        "init --upgrade",
    )
    with closing(connect(conninfo, autocommit=True)) as conn:
        # A rebuild beside which a refresh works: the events that it takes come back.
        conn.execute("SELECT pgsim.begin_rebuild(100, 'exact', 1, 65536)")
        conn.execute("DELETE FROM pgsim.recording WHERE mbid = %s", (mbid(3),))
        refresh(conn)
        assert one(conn, "SELECT count(*) FROM pgsim.rebuild_event") == 1
        rebuild(conn)
        assert one(conn, "SELECT count(*) FROM pgsim.rebuild_event") == 0
        conn.execute("CALL pgsim.refresh_similarity()")
        assert_lists_are_exact(conn)
        conn.execute("TRUNCATE pgsim.recording")
        keyless = conn.execute(
            "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'pgsim'::regnamespace"
            " AND c.relkind = 'r' AND NOT EXISTS ("
            "SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)"
        ).fetchall()
        assert keyless == []


SHORT, LONG = 1.0, 1.6  # seconds: a timeout, and what takes longer
SLOW = """
    CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_sleep({}); RETURN NULL; END'
"""


@contextmanager
def locked(conninfo: str, table: str) -> Iterator[None]:
    """Another session holds a table for longer than a timeout lasts."""
    with psycopg.connect(conninfo) as conn:
        conn.execute("SET transaction_timeout = 0" if conn.info.server_version >= 170000 else "")
        conn.execute("SET idle_in_transaction_session_timeout = 0")
        conn.execute(f"LOCK TABLE {table}".encode())
        timer = threading.Timer(LONG, conn.rollback)
        timer.start()
        yield
        timer.join()


@pytest.mark.slow
def test_no_timeout_of_a_database_ends_maintenance(new: New, tmp_path: Path) -> None:
    conninfo = new()
    with closing(connect(conninfo)) as conn:
        names = TIMEOUTS_17 if conn.info.server_version >= 170000 else TIMEOUTS
    values = dict.fromkeys(names, f"'{SHORT}s'")
    execute(
        conninfo,
        SLOW.format(LONG),
        *(
            f"CREATE TRIGGER slow AFTER INSERT OR DELETE ON pgsim.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION public.slow()"
            for table in ("submission", "similarity_a", "similarity_b", "sampled_pair")
        ),
    )
    setting(conninfo, **values)
    write_lines(tmp_path / "more.ndjson", collection(RECORDINGS + 5)[RECORDINGS:])
    with pgsim.connect(conninfo) as db:
        assert db.load(tmp_path / "more.ndjson").recordings == RECORDINGS + 5
        assert db.refresh().changed >= 5
        db.rebuild(engine="exact")
        db.connection.execute("DROP INDEX pgsim.recording_vector")
        assert db.index()
        db.export(tmp_path / "matrix.csv", advance=lambda *_: time.sleep(LONG))
        db.import_matrix(tmp_path / "matrix.csv")
        # What a person asks keeps the timeout.
        assert one(db.connection, "SHOW statement_timeout") == f"{SHORT:g}s"
        with pytest.raises((psycopg.errors.QueryCanceled, psycopg.errors.TransactionTimeout)):
            db.connection.execute(f"SELECT pg_sleep({LONG})")
    execute(conninfo, "DROP FUNCTION public.slow() CASCADE")
    with locked(conninfo, "pgsim.recording"):
        commands(conninfo, tmp_path, "init --upgrade")
    for name, matrix in (("whole.sql", False), ("matrix.dump", True)):
        dump(conninfo, tmp_path / name, matrix=matrix, advance=lambda _: time.sleep(LONG))
    script = (tmp_path / "whole.sql").read_text()
    statement = "COPY pgsim.recording "
    (tmp_path / "whole.sql").write_text(
        # As an older pg_dump writes it, whose server knew one timeout less.
        script.replace("SET transaction_timeout = 0;\n", "").replace(
            statement, f"SELECT pg_sleep({LONG});\n{statement}"
        )
    )
    for name in ("whole.sql", "matrix.dump"):
        target = new("TEMPLATE template0")
        execute(target, "CREATE EXTENSION vector SCHEMA public")
        setting(target, **values)
        assert restore(target, tmp_path / name).lists == RECORDINGS + 5
    assert contents(target) == contents(conninfo)


@pytest.mark.parametrize("name", ["a.sql", "a.dump"])
def test_a_dump_of_tables_in_a_tablespace_is_restored_where_there_is_none(
    new: New, new_database: New, tmp_path: Path, name: str
) -> None:
    conninfo, target = new(), new_database()
    space = f"space_{os.urandom(4).hex()}"
    execute(
        conninfo,
        "SET allow_in_place_tablespaces = on",
        f"CREATE TABLESPACE {space} LOCATION ''",
        f"ALTER TABLE pgsim.similarity_a SET TABLESPACE {space}",
        f"ALTER INDEX pgsim.recording_vector SET TABLESPACE {space}",
    )
    dump(conninfo, tmp_path / name)
    assert restore(target, tmp_path / name).recordings == RECORDINGS
    assert contents(target) == contents(conninfo)
    execute(
        conninfo,
        "ALTER TABLE pgsim.similarity_a SET TABLESPACE pg_default",
        "ALTER INDEX pgsim.recording_vector SET TABLESPACE pg_default",
        f"DROP TABLESPACE {space}",
    )


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_in_another_encoding_is_refused(
    new: New, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    conninfo = new(
        f"ENCODING '{encoding}' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    execute(conninfo, "CREATE EXTENSION vector SCHEMA public")
    assert run(["--database", conninfo, "init"]) == 1
    name = conninfo_to_dict(conninfo)["dbname"]
    line = (
        f"database '{name}' is in the encoding {encoding}, and pgsim needs UTF8: name another one,"
        " made by CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
    )
    assert capsys.readouterr().err.endswith(f"pgsim: {line}\n")
    assert wrongs(conninfo)["server_is_new_enough"].wrong == line


STYLES = {
    "DateStyle": "'German, DMY'",
    "IntervalStyle": "iso_8601",
    "TimeZone": "'Asia/Tokyo'",
    "client_encoding": "LATIN1",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "array_nulls": "off",
    "quote_all_identifiers": "on",
    "transform_null_equals": "on",
    "extra_float_digits": "-5",
    "lc_numeric": "'C.UTF-8'",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
}
ENVIRONMENT = {"PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo"}


@pytest.mark.slow
def test_styles_and_encodings_of_a_database_and_of_the_environment_change_nothing(
    new: New, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [
        *collection(RECORDINGS + 5)[RECORDINGS:],
        low_level(99, title="Ždárská \\ 'Ünä' 夜 NULL", artist="Дом"),
    ]
    write_lines(tmp_path / "more.ndjson", documents)
    shown: list[dict[str, Any]] = []
    made: list[list[Any]] = []
    exported: list[list[bytes]] = []
    for encoding, form in (
        (None, "sql"),
        ("SQL_ASCII", "sql"),
        ("LATIN1", "dump"),
        ("EUC_JP", "sql"),
    ):
        conninfo, target = new(), new("TEMPLATE template0")
        execute(target, "CREATE EXTENSION vector SCHEMA public")
        if encoding:
            for name, value in (ENVIRONMENT | {"PGCLIENTENCODING": encoding}).items():
                monkeypatch.setenv(name, value)
            setting(conninfo, **STYLES)
            setting(target, **STYLES)
        commands(
            conninfo,
            tmp_path,
            "load FOLDER/more.ndjson",
            "refresh",
            "rebuild --engine exact",
            f"export FOLDER/{encoding}.csv",
            f"import FOLDER/{encoding}.csv",
            "init --upgrade",
            f"dump FOLDER/{encoding}.{form}",
        )
        commands(target, tmp_path, f"restore FOLDER/{encoding}.{form}")
        capsys.readouterr()
        commands(conninfo, tmp_path, f"similar {mbid(99)} --json")
        shown.append(json.loads(capsys.readouterr().out))
        assert all(each.level != PROBLEM for each in wrongs(conninfo).values())
        made += [contents(conninfo), contents(target)]
        exported.append(sorted(each.read_bytes() for each in files(tmp_path / f"{encoding}.csv")))
    assert all(each == made[0] for each in made)
    assert all(each == shown[0] for each in shown)
    assert all(each == exported[0] for each in exported)


def files(path: Path) -> list[Path]:
    return [each for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file()]


def test_a_change_of_a_vector_can_be_prepared_where_nothing_is_notified(new: New) -> None:
    conninfo = new()
    change = "UPDATE pgsim.recording SET vector = -1 * vector WHERE mbid = %s".replace(
        "-1 * vector", "(SELECT vector FROM pgsim.recording WHERE mbid = %s)"
    )

    def prepare(number: int) -> None:
        with psycopg.connect(conninfo) as conn:
            xid = conn.xid(1, f"{conninfo_to_dict(conninfo)['dbname']}", str(number))
            conn.tpc_begin(xid)
            conn.execute(change.encode(), (mbid(1), mbid(2)))
            conn.tpc_prepare()
            conn.tpc_commit()

    with pytest.raises(psycopg.errors.FeatureNotSupported, match="NOTIFY"):
        prepare(1)
    found = wrongs(conninfo)["changes_can_be_prepared"]
    assert found.level == NOTE
    assert found.wrong == (
        "two-phase commit is on, but a transaction that changes vectors sends a NOTIFY, and cannot"
        " be prepared"
    )
    assert found.cure is not None
    execute(conninfo, found.cure.split(", then ")[0])
    prepare(2)
    assert "lists_are_up_to_date" in wrongs(conninfo)
    assert "changes_can_be_prepared" not in wrongs(conninfo)
    with closing(connect(conninfo, autocommit=True)) as conn:
        assert refresh(conn).changed == 1
        assert_lists_are_exact(conn)


def test_a_reader_dumps_and_a_plain_pg_restore_says_where_the_search_path_is(
    odd: embedded.Server, new: New, tmp_path: Path
) -> None:
    conninfo, target = new(), new("TEMPLATE template0")
    execute(target, "CREATE EXTENSION vector SCHEMA public")
    with closing(connect(conninfo, autocommit=True)) as conn:
        schema.grant_roles(conn)
        conn.execute("CREATE ROLE odd_reader LOGIN IN ROLE pgsim_reader")
    try:
        reader = make_conninfo(conninfo, user="odd_reader")
        dump(reader, tmp_path / "matrix.dump", matrix=True)
        # A newer pg_restore sets what PostgreSQL 16 does not know, and goes on.
        subprocess.run(
            [
                *(client_program("pg_restore"), "--no-owner", "--no-privileges"),
                *("--dbname", target, tmp_path / "matrix.dump"),
            ],
            check=False,
        )
        assert contents(target) == contents(conninfo)
        found = wrongs(target)["search_path_has_pgsim"]
        assert found.level == WARNING
        assert re.search(r"pgsim .*init --upgrade, as the database's owner", found.cure or "")
        with closing(connect(target)) as conn:
            comment = one(conn, "SELECT obj_description('pgsim'::regnamespace, 'pg_namespace')")
        assert "pg_restore alone does not, and pgsim init --upgrade does so" in comment
        commands(target, tmp_path, "init --upgrade")
        assert "search_path_has_pgsim" not in wrongs(target)
    finally:
        execute(odd.conninfo("postgres"), "DROP ROLE odd_reader")
