"""Shared by the commands: the connection, the --json option, tables and progress."""

import json
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Annotated, Any

import typer

from pgsim.cli.wording import with_options
from pgsim.database.database import Database
from pgsim.database.database import connect as open_database
from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection, connect, resolve
from pgsim.printable import escaped, one_line, printable
from pgsim.progress import Advance
from pgsim.store import schema
from pgsim.table import text_table

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

LINE_EVERY = 10.0  # seconds between progress lines where there is no terminal
WIDTH = 80  # columns of a table where there is no terminal


@contextmanager
def database(ctx: typer.Context) -> Iterator[Database]:
    """Connect to the chosen database, and close it at the end."""
    with open_database(ctx.obj.database) as db:
        yield db


@contextmanager
def connection(ctx: typer.Context, *, create: bool = False) -> Iterator[Connection]:
    """Connect to the chosen database in autocommit mode; close the connection at the end."""
    conninfo = resolve(ctx.obj.database, create=create)
    with closing(connect(conninfo, autocommit=True)) as conn:
        yield conn


@contextmanager
def ended_by_sigterm() -> Iterator[Callable[[], bool]]:
    """Yield whether SIGTERM has come; a second one ends the command at once."""
    came: list[int] = []

    def note(number: int, _: object) -> None:
        came.append(number)
        signal.signal(signal.SIGTERM, before)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)


def say(text: str) -> None:
    """Print a line on stderr: for a person, not for the pipe."""
    typer.echo(one_line(with_options(text)), err=True)


def put(text: str) -> None:
    """Print a line on stdout, for a person; CSV is for programs, and goes as it is."""
    typer.echo(printable(text))


def put_on_search_path(conn: Connection) -> None:
    """Put pgsim on the database's search path and say so, or say who may do it."""
    try:
        change = schema.add_to_search_path(conn)
    except PgsimError as error:
        say(str(error))
    else:
        if change:
            say(change.is_done)


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(escaped(json.dumps(value, default=str, ensure_ascii=False)))


def table_width() -> int:
    """The columns of a table: as many as the terminal has."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], below: Sequence[str] | None = None
) -> None:
    """Print a table on stdout, as wide as the terminal is; `below` is a text below each row."""
    put(f"\n{text_table(columns, rows, table_width(), below)}\n")


@contextmanager
def progress(unit: str, total: int | None = None) -> Iterator[Advance]:
    """Yield a function that shows progress on stderr: a bar, or lines where it is no terminal."""
    started = last = time.monotonic()
    count = 0

    def described(share: float | None) -> str:
        seconds = time.monotonic() - started
        rate = f"{count / seconds:,.0f}/s" if seconds else ""
        return f"{rate}, {_span(seconds / share - seconds)} left" if share else rate

    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        bar = Progress(
            TextColumn("{task.fields[count]:,.0f} " + unit),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        with bar:
            task = bar.add_task("", total=total, count=0, rate="")

            def advance_bar(done: int, share: float | None = None) -> None:
                nonlocal count
                count += done
                if share is not None:
                    bar.update(task, total=1.0, completed=share)
                else:
                    bar.advance(task, done)
                bar.update(task, count=count, rate=described(share))

            yield advance_bar
        return

    def advance_lines(done: int, share: float | None = None) -> None:
        nonlocal count, last
        count += done
        now = time.monotonic()
        if now - last >= LINE_EVERY:
            last = now
            of = f" of {total:,}" if total else ""
            say(f"{count:,}{of} {unit}, {described(share)}")

    yield advance_lines


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
