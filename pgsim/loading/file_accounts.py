"""The account of each file of a load: how far it has been loaded, and its rejects."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pgsim.loading.chunks import Mark, Origin, Span
from pgsim.loading.parsing import Rows
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_value
from pgsim.sources.streams.walk import Place
from pgsim.sources.text import Repairs

# Bytes of a name in `reject`: an index entry has to hold two of them.
LONGEST_NAME = 1200


def read_marks(conn: Connection) -> dict[str, Mark]:
    """Return how far files of more than one document have been loaded, by path."""
    rows = conn.execute(
        "SELECT path, size, modified, documents, rejected, is_finished FROM pgsim.archive"
    )
    return {path: Mark(*mark) for path, *mark in rows}


class FileAccounts:
    """The accounts of the files of one load."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._since: datetime = one_value(conn, "SELECT now()")
        self._marks: dict[Place, Mark] = {}  # of the files that have been begun
        # By root, the names of files that an earlier load has read, in part or to the end.
        self._kept: dict[Place, list[str]] = {}

    def enter(self, batch: Iterable[tuple[Origin, Rows]]) -> None:
        """Write what became of chunks, in the transaction that stores their submissions."""
        rejects: list[tuple[str, str, str]] = []
        marks: list[tuple[Any, ...]] = []
        for origin, rows in batch:
            start = 0
            for span in origin.spans:
                end = start + span.documents
                failed = [each for each in rows.outcome.failures if start <= each[0] < end]
                rejects += [
                    (name_of(span.root), _cut(origin.names[place]), Repairs().text(reason))
                    for place, reason in failed
                ]
                mark = self._advance(span, len(failed))
                if mark is not None:
                    marks.append((name_of(span.path), *astuple(mark)))
                start = end
        self._conn.cursor().executemany(
            "INSERT INTO pgsim.archive AS a"
            " (path, size, modified, documents, rejected, is_finished)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (path) DO UPDATE"
            " SET size = excluded.size, modified = excluded.modified,"
            " documents = excluded.documents, rejected = excluded.rejected,"
            " is_finished = excluded.is_finished"
            # Another load can be farther, or this one, if a path is given twice.
            " WHERE (a.size, a.modified) <> (excluded.size, excluded.modified)"
            " OR a.documents <= excluded.documents",
            marks,
        )
        self._conn.cursor().executemany(
            "INSERT INTO pgsim.reject (file, member, reason) VALUES (%s, %s, %s)"
            " ON CONFLICT (file, member) DO UPDATE"
            " SET reason = excluded.reason, rejected_at = now()",
            rejects,
        )

    def close(self) -> None:
        """Delete the rejects of an earlier load of these paths that this one has not met again."""
        for root, kept in self._kept.items():
            self._conn.execute(
                "DELETE FROM pgsim.reject AS r WHERE r.file = %s AND r.rejected_at < %s"
                " AND NOT EXISTS (SELECT FROM unnest(%s::text[]) AS k (name)"
                " WHERE starts_with(r.member, k.name || ':'))",
                (name_of(root), self._since, kept),
            )

    def _advance(self, span: Span, rejected: int) -> Mark | None:
        """Return how far a file has been loaded with a span; None if there is nothing to write."""
        kept = self._kept.setdefault(span.root, [])
        if span.mark is None:
            return None
        if span.is_first:
            self._marks[span.path] = span.known or span.mark
            if span.known is not None:
                kept.append(span.name)
        before = self._marks[span.path]
        mark = replace(
            before,
            documents=before.documents + span.documents,
            rejected=before.rejected + rejected,
            is_finished=span.is_last,
        )
        self._marks[span.path] = mark
        # In a file of one document there is no place to go on from.
        if mark == span.known or mark.documents < 2:
            return None
        if span.is_first and span.known is None:
            self._conn.execute(
                "DELETE FROM pgsim.reject WHERE file = %s AND rejected_at < %s"
                " AND starts_with(member, %s || ':')",
                (name_of(span.root), self._since, span.name),
            )
        return mark


def write_rejects(conn: Connection, places: Sequence[Place], file: Path) -> None:
    """Write the rejects of these places as NDJSON: file, member and reason of each."""
    rows = conn.execute(
        "SELECT file, member, reason FROM pgsim.reject WHERE file = ANY(%s) ORDER BY file, member",
        ([name_of(place) for place in places],),
    )
    with file.open("w", encoding="utf-8") as lines:
        for where, member, reason in rows:
            line = {"file": where, "member": member, "reason": reason}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")


def name_of(place: Place) -> str:
    """Return a path, or the address of what is no file, as `reject` and `archive` name it."""
    return _cut(str(place.absolute() if isinstance(place, Path) else place))


def _cut(name: str) -> str:
    """Return a name that an index can hold: of a longer one the end, which says more."""
    return Repairs().text(name).encode()[-LONGEST_NAME:].decode(errors="ignore")
