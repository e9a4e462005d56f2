"""The command `pgsim`: parse, call, print. Each file has a few related commands.

Errors are printed here, once.
"""

import os
import signal
import sys
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any

import psycopg
import typer
from typer.core import TyperCommand, TyperGroup

from pgsim.cli import (
    build,
    check,
    describe,
    dump,
    evaluate,
    export,
    extract,
    listening,
    musicbrainz,
    plan,
    profile,
    server,
    setup,
    similar,
    status,
    tune,
    uninstall,
)
from pgsim.cli import demo as demonstration
from pgsim.cli.common import with_options
from pgsim.errors import PgsimError
from pgsim.postgres.errors import as_pgsim_error
from pgsim.printable import one_line, printable
from pgsim.signals import ENDING
from pgsim.version import __version__

# What typer raises for misuse: its own copy of click's error, or click's own in older versions.
_UsageError: Any = typer.BadParameter.__base__
_INTERRUPTED = 130
_PSQL_ARGUMENTS = "arguments"


class _FullValues:
    """A command that refuses an empty value: a variable that is not set, and not a wish.

    psql's own arguments may be empty.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return what is left of the arguments, once none of their values is empty."""
        command: Any = super()
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))  # type: ignore[attr-defined]
        for each in order:
            value = given.get(each.name)
            values = value if isinstance(value, list | tuple) else [value]
            if each.name != _PSQL_ARGUMENTS and any(
                isinstance(text, str) and not text.strip() for text in values
            ):
                raise typer.BadParameter(
                    "the value is empty; give one, or leave it out", ctx=ctx, param=each
                )
        left: list[str] = command.parse_args(ctx, args)
        return left


class Group(_FullValues, TyperGroup):
    """The program, with the options that stand before the command."""


class Command(_FullValues, TyperCommand):
    """A command whose usage names its arguments without braces: `pgsim load [OPTIONS] PATH...`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the line after the command's name."""
        pieces = super().collect_usage_pieces(ctx)
        return [piece.replace("{", "").replace("}", "") for piece in pieces]


app = typer.Typer(
    name="pgsim",
    cls=Group,
    help="Music recording similarity inside PostgreSQL.",
    epilog="In SQL: SELECT * FROM similar_recordings('<mbid>', 10);",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(frozen=True, slots=True)
class Options:
    """The options that stand before the command."""

    database: str | None


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pgsim {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL|NAME",
            help="A connection string, or the name of a database on the embedded server."
            " The environment variable PGSIM_DATABASE_URL does the same"
            " [default: 'pgsim' on the embedded server].",
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Music recording similarity inside PostgreSQL."""
    ctx.obj = Options(database)


for command in (
    describe.describe,
    setup.init,
    extract.extract,
    build.load,
    musicbrainz.redirects,
    musicbrainz.names,
    build.fuse,
    profile.profile,
    build.index,
    build.refresh,
    build.rebuild,
    similar.similar,
    listening.radio,
    listening.path,
    status.status,
    check.check,
    evaluate.evaluate,
    tune.tune,
    plan.plan,
    dump.dump,
    dump.restore,
    export.export,
    export.import_,
    uninstall.uninstall,
    server.start,
    server.stop,
    server.url,
    server.psql,
    demonstration.demo,
):
    app.command(command.__name__.rstrip("_"), cls=Command)(command)


def main() -> None:
    """Run the command line: exit 0 done, 1 failed, 2 misused, 128 + n ended by the signal n."""
    ended_by: list[int] = []

    def end(number: int, _: object) -> None:
        ended_by.append(number)
        raise KeyboardInterrupt  # at which psycopg cancels its query

    heard = [each for each in ENDING if signal.getsignal(each) != signal.SIG_IGN]  # nohup
    for each in heard:
        signal.signal(each, end)
    code = run(sys.argv[1:])
    for each in heard:  # nothing is left to undo
        signal.signal(each, signal.SIG_DFL)
    sys.exit(128 + ended_by[0] if ended_by else code)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; an error is one line on stderr."""
    try:
        code = app(arguments, standalone_mode=False, prog_name="pgsim")
    except _UsageError as error:
        said = StringIO()
        error.show(said)
        typer.echo(printable(said.getvalue()), err=True, nl=False)
        return 2
    except PgsimError as error:
        return _fail(with_options(str(error)), error.exit_code)
    except psycopg.Error as error:
        known = as_pgsim_error(error)
        return _fail(str(known), known.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except UnicodeEncodeError as error:
        return _fail(f"{error.object[:100]!a} has bytes that are no text of UTF-8", 2)
    except OSError as error:
        return _fail_to_read_or_write(error)
    except RecursionError:
        return _fail("something that was given is nested too deeply: give it flatter", 1)
    except MemoryError:
        return _fail("memory is full: give smaller files, or a machine with more of it", 1)
    if code == _INTERRUPTED:  # as typer returns it, or as it came
        return _fail("interrupted", code)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    typer.echo(f"pgsim: {one_line(message)}", err=True)
    return code


def _fail_to_read_or_write(error: OSError) -> int:
    """Name the file; or the output, unless its reader has gone and nobody wants it."""
    try:
        sys.stdout.flush()
    except OSError:
        # Python would try to flush it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 1
    where = f"cannot use {error.filename}" if error.filename else "cannot write the output"
    return _fail(f"{where}: {error.strerror or error}", 1)
