"""Checks of a database, each with a finding and a cure."""

import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from pgsim.embedded import EmbeddedError
from pgsim.postgres.connection import Connection, DatabaseError, connect, redact, resolve
from pgsim.postgres.pooler import SessionNeeded, require_session
from pgsim.postgres.session import clear_timeouts
from pgsim.store import answer_checks, checks, server_checks
from pgsim.store.finding import OK, PROBLEM, Finding, Function

CHECKS = (*checks.CHECKS, *server_checks.CHECKS, *answer_checks.CHECKS)


def check_database(database: str | None) -> Iterator[Finding]:
    """Yield the finding of each check of the database that `resolve` names, in order.

    Nothing in it is changed.
    """
    title = "The server answers"
    try:
        conn = connect(resolve(database), autocommit=True)
    except (DatabaseError, EmbeddedError) as error:
        yield Finding("server_answers", title, PROBLEM, str(error))
        return
    yield Finding("server_answers", title, OK)
    with closing(conn):
        try:
            require_session(conn, "check")
        except SessionNeeded as error:
            yield Finding("session_is_its_own", "The session is its own", PROBLEM, str(error))
            return
        clear_timeouts(conn)
        conn.execute("SET default_transaction_read_only = on")
        for finding in run_checks(conn):
            yield replace(finding, cure=_for_database(finding.cure, database))


def run_checks(conn: Connection) -> Iterator[Finding]:
    """Yield the findings of a database that answers; `conn` is in autocommit mode."""
    failed: set[Function] = set()
    for check in CHECKS:
        if check.after in failed:
            failed.add(check.ask)
            continue
        wrong = check.ask(conn)
        if wrong is not None:
            failed.add(check.ask)
        yield check.finding(wrong)


def _for_database(cure: str | None, database: str | None) -> str | None:
    """A cure whose commands name the database, if the user named one."""
    if cure is None or not database:
        return cure
    is_name = "://" not in database and "=" not in database
    named = shlex.quote(database if is_name else redact(database))
    return re.sub(r"\bpgsim (?=[a-z])", lambda _: f"pgsim --database {named} ", cure)
