"""`pgsim plan`: what a collection of a given size will cost."""

import os
import re
from dataclasses import asdict
from typing import Annotated

import typer

from pgsim.cli.common import Json, print_json, print_table, put, say
from pgsim.errors import UsageError
from pgsim.planning.plan import LEAST_SAMPLE, NEWCOMERS, SAMPLE, Plan
from pgsim.planning.plan import plan as foresee
from pgsim.postgres.connection import resolve
from pgsim.store.index import MOST_MEMORY

MOST = 2**31 - 1  # recordings: their ids are integers
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_STEPS = {
    "load": "rows by COPY",
    "index": "HNSW index",
    "prepare": "rebuild: read and tune",
    "lists": "rebuild: make lists",
    "compare": f"refresh: compare {NEWCOMERS:,}",
    "enter": "refresh: enter lists",
}
# Above this share of the processors at other work, what is measured is that work too.
_BUSY = 0.25


def plan(
    ctx: typer.Context,
    recordings: Annotated[
        int,
        typer.Option(min=1, max=MOST, help="The number of recordings to plan for."),
    ],
    within: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="A deadline for the whole matrix: 90s, 30m, 1h, 2d."),
    ] = None,
    sample: Annotated[
        int, typer.Option(min=LEAST_SAMPLE, max=MOST, help="Recordings in the largest sample.")
    ] = SAMPLE,
    threads: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Threads [default: all cores].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate time, memory and disk for a collection.

    The command measures samples of growing size in a scratch database 'pgsim_plan' on the same
    server, and drops it. A sample consists of the database's own recordings if there are enough,
    else of synthetic ones.
    """
    seconds = None if within is None else _seconds(within)
    # The load is the whole machine's, so all of its processors count here.
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load > _BUSY * processors:
        say(
            f"this machine is busy ({load:.1f} processes on {processors} processors):"
            " the estimates will be too high"
        )
    conninfo = resolve(ctx.obj.database)
    planned = foresee(conninfo, recordings, sample=sample, within=seconds, threads=threads, say=say)
    if as_json:
        print_json(asdict(planned))
    else:
        _print(planned, within)


def _print(planned: Plan, within: str | None) -> None:
    n = f"{planned.recordings:,}"
    put(f"{n} recordings of {planned.dimensions} dimensions")
    put(f"estimated from {', '.join(f'{size:,}' for size in planned.samples)}: {planned.vectors}")
    print_table(
        ["", f"{planned.samples[-1]:,} take", "and grow as", "so all take"],
        [
            [_STEPS[each.step], duration(each.measured[-1]), each.formula, duration(each.seconds)]
            for each in planned.steps
        ],
    )
    disk = {**planned.disk, "all, a rebuild's second table too": sum(planned.disk.values())}
    print_table(["disk of", ""], [(what, _size(size)) for what, size in disk.items()])
    print_table(
        ["memory", ""],
        [
            ("of the rebuild, on every machine", _size(planned.worker_memory)),
            ("of the server, to build the index (maintenance_work_mem)",
             _size(planned.index_memory)),
        ],
    )  # fmt: skip
    print_table(
        ["machines like this one", "whole matrix in"],
        [(machines, duration(seconds)) for machines, seconds in planned.rebuild.items()],
    )
    if within and planned.machines:
        put(f"within {within}: {planned.machines} like this one, by pgsim rebuild --join")
    elif within:
        put(f"within {within}: no number of machines like this one")
    if planned.index_memory > MOST_MEMORY:
        put(f"the index takes longer than that: it gets {_size(MOST_MEMORY)} of memory at most")


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        raise UsageError(f"'{text}' is no time: write 90s, 30m, 1h or 2d")
    return float(found[1]) * _UNITS[found[2]]


def duration(seconds: float) -> str:
    """Seconds in the largest unit of which there are at least two."""
    unit = next((unit for unit in "dhm" if seconds >= 2 * _UNITS[unit]), "s")
    value = seconds / _UNITS[unit]
    return f"{value:.{0 if value >= 10 else 1}f} {unit if unit != 'm' else 'min'}"


def _size(size: float) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
