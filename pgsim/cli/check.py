"""`pgsim check`: what is wrong with a database, and what to do about it."""

from collections import Counter
from dataclasses import asdict

import typer

from pgsim.cli.common import Json, print_json, put
from pgsim.printable import one_line
from pgsim.store.check import check_database
from pgsim.store.finding import NOTE, PROBLEM, WARNING, Finding


def check(ctx: typer.Context, as_json: Json = False) -> None:
    """Check the server, schema, index and matrix.

    Each finding is one line, with its cure. The exit code is 1 where there is a problem.
    """
    levels: Counter[str] = Counter()
    findings = []
    for finding in check_database(ctx.obj.database):
        levels[finding.level] += 1
        findings.append(asdict(finding))
        if not as_json:
            put(one_line(_line(finding)))
    if as_json:
        counts = {f"{level}s": levels[level] for level in (NOTE, WARNING, PROBLEM)}
        print_json({**counts, "checks": findings})
    if levels[PROBLEM]:
        raise typer.Exit(1)


def _line(finding: Finding) -> str:
    line = f"{finding.level:<8} {finding.wrong or finding.title}"
    return f"{line}; to cure it: {finding.cure}" if finding.cure else line
