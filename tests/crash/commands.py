"""Every command that is killed: what it works on, and what is compared when it has run again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from tests.crash import outcomes, steps
from tests.crash.bases import DEMO, RECORDINGS, Bases
from tests.crash.campaign import BLANK
from tests.crash.choice import Group
from tests.crash.kills import CLIENT, SERVER
from tests.crash.outcomes import Outcome
from tests.crash.room import Room, Running

Step = Callable[[Room], None]


@dataclass(frozen=True, slots=True)
class Command:
    """A command in a room.

    `base` is the database that it works on a copy of; None for none. `outcome` is what is compared
    with an undisturbed run. The steps around it: `prepare` before the command; `committed` after
    the kill, which asserts what has to hold then; `between` after that, and after an undisturbed
    run; `after` when the command has run again.

    A command that goes on until it is told to end has `feed`, which gives it something to do and is
    True when all is done, and `works`, words that it says once it is at work. `beside` are the
    arguments of such a command that runs beside this one. `excuse` are words with which the command
    may refuse to run again, since all is done. `disk` is where it writes: to the database (data),
    or to files (out). `needs` is a module.
    """

    arguments: Callable[[Bases, Room], Sequence[Any]]
    outcome: Callable[[Room, Running], Outcome]
    base: Callable[[Bases], str] | None
    prepare: Step = steps.nothing
    committed: Step = steps.nothing
    between: Step = steps.nothing
    after: Step = steps.nothing
    feed: Callable[[Room], bool] | None = None
    works: str = ""
    beside: Sequence[str] = ()
    excuse: str = ""
    disk: str = "data"
    needs: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether an outcome needs nothing but the command itself."""
        around = {self.between, self.after}
        return around == {steps.nothing} and not self.feed and not self.beside

    @property
    def problem(self) -> str:
        """Why the command cannot run here; empty where it can."""
        is_missing = self.needs and not find_spec(self.needs)
        return f"{self.needs} is not installed" if is_missing else ""


def _acousticbrainz(bases: Bases) -> str:
    return bases.acousticbrainz


def _matrix(bases: Bases) -> str:
    return bases.matrix


def _unlisted(bases: Bases) -> str:
    return bases.unlisted


def _load(paths: Callable[[Bases], Sequence[Any]]) -> Command:
    return Command(
        lambda bases, _: ("load", "--json", *paths(bases)), outcomes.accounts, _acousticbrainz
    )


def _rebuild(*arguments: str, needs: str = "", is_exact: bool = False) -> Command:
    return Command(
        lambda _, __: ("rebuild", *arguments),
        outcomes.rows_and_lists if is_exact else outcomes.rows_and_near_lists,
        _matrix,
        prepare=steps.change,
        committed=steps.require_answers,
        between=steps.touch,
        after=steps.bring_up_to_date,
        needs=needs,
    )


def _written(
    outcome: Callable[[Room, Running], Outcome], name: str, *arguments: str, needs: str = ""
) -> Command:
    """A command that makes a file."""
    return Command(
        lambda _, room: (*arguments, "--force", room.out / name),
        outcome,
        _matrix,
        disk="out",
        needs=needs,
    )


def _import(suffix: str, needs: str = "") -> Command:
    return Command(
        lambda bases, _: ("import", bases.exported(suffix)),
        outcomes.rows_and_lists,
        _unlisted,
        committed=steps.require_answers,
        needs=needs,
    )


def _restore(suffix: str) -> Command:
    return Command(
        lambda bases, _: ("restore", bases.dumped(suffix)),
        outcomes.rows_and_schema,
        lambda _: BLANK,
        excuse="has a schema pgsim already",
    )


COMMANDS: dict[str, Command] = {
    "init": Command(lambda _, __: ("init",), outcomes.rows_and_schema, lambda _: BLANK),
    "init --upgrade": Command(
        lambda _, __: ("init", "--upgrade"),
        outcomes.rows_and_schema,
        lambda bases: bases.outdated,
    ),
    "load documents": _load(lambda bases: bases.documents),
    "load archives": replace(
        _load(lambda bases: bases.archives), committed=steps.require_marks_of_what_is_kept
    ),
    "load demo": replace(_load(lambda _: [DEMO]), base=lambda bases: bases.essentia),
    "extract": Command(
        lambda bases, room: (
            *("extract", "--json", "--extractor", "rhythm", "--workers", 2),
            *("-o", room.out / "all.ndjson", bases.audio),
        ),
        outcomes.extracted,
        None,
        disk="out",
        needs="soundfile",
    ),
    "fuse --refit": Command(
        lambda _, __: ("fuse", "--refit"),
        outcomes.rows_and_lists,
        lambda bases: bases.loaded,
        after=steps.bring_up_to_date,
    ),
    "index": Command(lambda _, __: ("index",), outcomes.rows_alone, lambda bases: bases.unindexed),
    "index --metric": Command(
        lambda _, __: ("index", "--metric", "mfccs"),
        outcomes.rows_alone,
        lambda bases: bases.unindexed,
    ),
    "refresh": replace(_rebuild(is_exact=True), arguments=lambda _, __: ("refresh",)),
    # So much is new that the lists are made anew, by the engine that needs least time.
    "refresh all": Command(
        lambda _, __: ("refresh",),
        outcomes.rows_and_near_lists,
        _unlisted,
        committed=steps.require_answers,
    ),
    "refresh --follow": Command(
        lambda _, __: ("refresh", "--follow"),
        outcomes.rows_and_lists,
        _matrix,
        prepare=steps.prepare_to_follow,
        committed=steps.require_answers,
        feed=steps.feed_follower,
        works="recordings had changed",
    ),
    "rebuild cells": _rebuild("--engine", "cells"),
    "rebuild exact": _rebuild("--engine", "exact", is_exact=True),
    "rebuild faiss": _rebuild("--engine", "faiss", needs="faiss"),
    "rebuild postgres": _rebuild("--engine", "postgres"),
    "rebuild with a helper": replace(
        _rebuild("--engine", "exact", is_exact=True), beside=("rebuild", "--join", "--follow")
    ),
    "rebuild --join": replace(
        _rebuild("--join", is_exact=True), prepare=steps.begin_rebuild, after=steps.end_rebuild
    ),
    "dump": _written(outcomes.archive, "music.dump", "dump"),
    "dump .sql": _written(outcomes.script, "music.sql", "dump"),
    "dump --matrix": _written(outcomes.archive, "music.dump", "dump", "--matrix"),
    "restore": _restore(".dump"),
    "restore .sql": _restore(".sql"),
    "export csv": _written(outcomes.files, "matrix.csv", "export"),
    "export parquet": _written(outcomes.files, "matrix.parquet", "export", needs="pyarrow"),
    "export hdf5": _written(outcomes.files, "matrix.h5", "export", needs="h5py"),
    "export faiss": _written(outcomes.files, "matrix.faiss", "export", needs="faiss"),
    "import csv": _import(".csv"),
    "import parquet": _import(".parquet", "pyarrow"),
    "redirects": Command(
        lambda bases, _: ("redirects", bases.redirects), outcomes.rows_alone, _acousticbrainz
    ),
    "names": Command(
        lambda bases, _: ("names", bases.names),
        outcomes.rows_alone,
        _unlisted,
        committed=steps.require_answers,
    ),
    "evaluate": Command(
        lambda _, __: ("evaluate", "--sample", 200, "--json"), outcomes.printed, _matrix
    ),
    "plan": Command(
        lambda _, __: ("plan", "--recordings", RECORDINGS, "--sample", 1000, "--json"),
        outcomes.plan,
        _matrix,
    ),
}

_WRITES = (*CLIENT, *SERVER, "end", "disk")
_READS = (*CLIENT, *SERVER)
GROUPS = (
    Group("init", 1, ("init",), _WRITES),
    Group("init --upgrade", 1, ("init --upgrade",), _WRITES),
    Group("load", 3, ("load documents", "load archives", "load demo"), (*_WRITES, "worker")),
    Group("extract", 3, ("extract",), (*CLIENT, "worker", "worker", "disk", "disk")),
    Group("fuse", 1, ("fuse --refit",), _WRITES),
    Group("index", 1, ("index", "index --metric"), _WRITES),
    Group("refresh", 2, ("refresh", "refresh all"), _WRITES),
    Group("follow", 3, ("refresh --follow",), _WRITES),
    Group(
        "rebuild",
        4,
        (
            *("rebuild cells", "rebuild exact", "rebuild faiss", "rebuild postgres"),
            "rebuild with a helper",
        ),
        _WRITES,
    ),
    Group("join", 3, ("rebuild --join",), _WRITES),
    Group("dump", 1, ("dump", "dump .sql", "dump --matrix"), (*_READS, "worker", "disk")),
    Group("restore", 1, ("restore", "restore .sql"), (*_WRITES, "worker")),
    Group(
        "export",
        1,
        ("export csv", "export parquet", "export hdf5", "export faiss"),
        (*_READS, "disk"),
    ),
    Group("import", 3, ("import csv", "import parquet"), _WRITES),
    Group("redirects", 1, ("redirects",), _WRITES),
    Group("names", 1, ("names",), _WRITES),
    Group("evaluate", 1, ("evaluate",), _READS),
    Group("plan", 1, ("plan",), _READS),
)
