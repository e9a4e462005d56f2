"""What restore refuses, and what it leaves when it fails."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgsim.embedded import binaries
from pgsim.errors import PgsimError
from pgsim.transfer import dump as dumping
from pgsim.transfer.dump import DumpError, dump, restore
from tests.support.dumps import COMMAND, new_session, pgsim_command, schema_of, wait_until
from tests.support.paths import CHECKOUT


def test_a_database_that_has_pgsim_is_left_as_it_is(filled: str, archive: Path) -> None:
    with pytest.raises(DumpError, match=r"database 'filled' has a schema pgsim already: .* DROP"):
        restore(filled, archive)


def test_a_role_that_may_not_make_the_extension_is_told_who_may(
    new_owned: Callable[..., str], archive: Path
) -> None:
    target = new_owned(template="template0")
    with pytest.raises(PgsimError, match=r"as a superuser run CREATE EXTENSION vector in the data"):
        restore(target, archive)
    assert schema_of(target) is None


def test_a_role_that_does_not_own_the_database_is_told_what_its_owner_may_run(
    role: str, new_database: Callable[..., str], archive: Path
) -> None:
    target = new_database()
    name = conninfo_to_dict(target)["dbname"]
    with new_session(target) as conn:
        conn.execute(f"GRANT CREATE ON DATABASE {name} TO {role}".encode())
    restored = pgsim_command(
        "--database", make_conninfo(target, user=role), "restore", str(archive)
    )
    assert restored.returncode == 0
    assert f'its owner may run: ALTER DATABASE "{name}" SET search_path' in restored.stderr
    assert restored.stdout == (
        "restored 1,201 recordings, 1,201 vectors, 1,200 lists, 1,200 submissions\n"
    )


def damaged(archive: Path, path: Path, kind: str) -> Path:
    whole = archive.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "no dump": b"PK\x03\x04" + whole,
            "beginning only": whole[:100],
            "cut short": whole[: len(whole) * 2 // 3],
            "overwritten": whole[: len(whole) // 2] + bytes(2000) + whole[len(whole) // 2 + 2000 :],
        }[kind]
    )
    return path


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("empty", "is no dump: pgsim dump makes one"),
        ("no dump", "is no dump: pgsim dump makes one"),
        ("beginning only", "cannot read"),
        ("cut short", "cannot"),
        ("overwritten", "cannot"),
    ],
)
def test_a_damaged_dump_is_one_clear_line_and_changes_nothing(
    new_database: Callable[..., str], archive: Path, tmp_path: Path, kind: str, line: str
) -> None:
    target, path = new_database(), damaged(archive, tmp_path / "damaged", kind)
    with pytest.raises(DumpError) as raised:
        restore(target, path)
    assert line in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert schema_of(target) is None


def test_sql_is_restored_whole_or_not_at_all(
    new_database: Callable[..., str], script: str, tmp_path: Path
) -> None:
    target, path, whole = new_database(), tmp_path / "pgsim.sql", script.encode()
    path.write_bytes(whole[: whole.index(b"dump complete")])
    with pytest.raises(DumpError, match="is not whole"):
        restore(target, path)
    # What no end can show: a statement within that fails undoes all of it.
    path.write_bytes(whole.replace(b"CREATE TRIGGER recording_updated", b"CREATE TRIGER x"))
    with pytest.raises(DumpError, match=r"cannot restore .*: syntax error at or near .TRIGER"):
        restore(target, path)
    assert schema_of(target) is None
    path.write_bytes(whole)
    assert restore(target, path).lists == 1200


ROWS, END = "COPY pgsim.recording ", "-- PostgreSQL database dump complete"


@pytest.mark.parametrize(
    ("before", "evil", "reason"),
    [
        ("SET statement_timeout", r"\! touch FILE", "holds no commands of psql"),
        (ROWS, r"\! touch FILE", "holds no commands of psql"),
        (ROWS, r"\o FILE", "holds no commands of psql"),
        (ROWS, r"\copy (SELECT 1) TO 'FILE'", "holds no commands of psql"),
        (ROWS, r"\g FILE", "holds no commands of psql"),
        (ROWS, r"SELECT 1 \g FILE", "holds no commands of psql"),
        (ROWS, r"SELECT 1 \gexec", "holds no commands of psql"),
        (ROWS, "\\unrestrict a\n\\! touch FILE", "holds no commands of psql"),
        (ROWS, "COMMIT;", "holds no COMMIT"),
        (ROWS, "END;", "holds no END"),
        (ROWS, "COMMIT AND CHAIN;", "holds no COMMIT"),
        (ROWS, "PREPARE TRANSACTION 'a';", "holds no PREPARE"),
        (ROWS, "ROLLBACK;", "holds no ROLLBACK"),
        (ROWS, "ABORT AND CHAIN;", "holds no ABORT"),
        (ROWS, "ROLLBACK AND CHAIN; CREATE SCHEMA pgsim; COMMIT;", "holds no ROLLBACK"),
        (ROWS, "SELECT 1; /* a /* ' */ */ rollback;", "holds no ROLLBACK"),
        (ROWS, "SELECT 'a''\\', E'\\'', \"'\", $a$ ' $$ $a$; rollback;", "holds no ROLLBACK"),
        (ROWS, "START TRANSACTION READ WRITE;", "holds no START"),
        (ROWS, "COPY pgsim.run FROM stdin;\n\\.\r\nROLLBACK;\n\\.", "holds no ROLLBACK"),
        (ROWS, "SELECT $$\nCOPY a FROM stdin;\n$$; ROLLBACK;\n\\.", "rows of COPY stand inside"),
        (ROWS, "copy a from stdin;\n'\n\\.\nROLLBACK;", "copies rows from itself alone"),
        (ROWS, "SET standard_conforming_strings = 'off'; ROLLBACK;", "does no more than SET"),
        (ROWS, "ROLLBACK; CREATE SCHEMA pgsim; COMMIT;", "holds no ROLLBACK"),
        (END, "ROLLBACK;", "holds no ROLLBACK"),
    ],
)
def test_sql_that_is_no_dumps_is_refused_and_leaves_nothing(
    new_database: Callable[..., str],
    script: str,
    tmp_path: Path,
    before: str,
    evil: str,
    reason: str,
) -> None:
    target, path, made = new_database(), tmp_path / "a.sql", tmp_path / "made"
    line = evil.replace("FILE", str(made))
    at = script.rindex(END) if before == END else script.index(before)
    path.write_text(f"{script[:at]}{line}\n{script[at:]}")
    with pytest.raises(DumpError, match=reason) as raised:
        restore(target, path)
    assert "\n" not in str(raised.value)
    assert not made.exists()
    assert schema_of(target) is None


def test_titles_that_look_like_commands_of_psql_are_restored(
    new_database: Callable[..., str], filled: str, tmp_path: Path
) -> None:
    source, target = new_database("filled"), new_database()
    titles = ["\\restrict abc", "\r\\unrestrict abc", "COMMIT;", "COPY a FROM stdin;", "\\."]
    with psycopg.connect(source) as conn:
        for number, title in enumerate(titles):
            conn.execute(
                "UPDATE pgsim.recording SET title = %s WHERE id = (SELECT id FROM pgsim.recording"
                " ORDER BY id OFFSET %s LIMIT 1)",
                (title, number),
            )
    dump(source, tmp_path / "a.sql")
    restore(target, tmp_path / "a.sql")
    with psycopg.connect(target) as conn:
        rows = conn.execute("SELECT title FROM pgsim.recording ORDER BY id LIMIT 5").fetchall()
    assert [title for (title,) in rows] == titles


def test_a_dump_of_something_else_is_refused(
    new_database: Callable[..., str], tmp_path: Path
) -> None:
    target = new_database()
    for name, form in (("other.sql", "p"), ("other.dump", "c")):
        program = dumping.client_program("pg_dump")
        subprocess.run([program, f"-F{form}", "-f", tmp_path / name, target], check=True)
        with pytest.raises(DumpError, match="is a dump of something else: it has no schema pgsim"):
            restore(target, tmp_path / name)


def test_a_dump_of_newer_programs_is_one_clear_line(
    new_database: Callable[..., str], archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = binaries.find_program("pg_restore", 16)
    assert program is not None
    monkeypatch.setattr(dumping, "client_program", lambda _: program)
    with pytest.raises(DumpError, match=r"unsupported version .*; a newer pg_dump made the file"):
        restore(new_database(), archive)


def test_the_path_is_set_together_with_the_rows(
    archive: Path, new_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:
        raise KeyboardInterrupt

    target = new_database()
    monkeypatch.setattr(dumping, "_vacuum", end)  # right after the COMMIT
    with pytest.raises(KeyboardInterrupt):
        restore(target, archive)
    with psycopg.connect(target) as conn:
        assert conn.execute("SELECT count(*) FROM similarity").fetchone() == (1200,)


def test_a_killed_restore_leaves_nothing(
    script: str, new_database: Callable[..., str], tmp_path: Path
) -> None:
    target, path = new_database(), tmp_path / "pgsim.sql"
    statement = "COPY pgsim.recording "  # far from the end: COMMIT is not on its way yet
    path.write_text(script.replace(statement, f"SELECT pg_sleep(1);\n{statement}"))
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--database", target, "restore", path],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    psql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    psql += " AND application_name = 'psql'"
    with new_session(target) as conn:
        wait_until(conn, f"{psql} AND wait_event = 'PgSleep'", 1)
        process.kill()
        process.wait()
        wait_until(conn, psql, 0)
    assert schema_of(target) is None
