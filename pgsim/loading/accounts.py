"""What became of the documents of a load: rejects, and how far each file was loaded."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pgsim.loading.chunks import Chunk, Mark, Span
from pgsim.loading.parsing import Rows
from pgsim.postgres.connection import Connection
from pgsim.sources.text import Repairs

# Bytes of a name in `reject`: two of them have to fit into an index.
LONGEST_NAME = 1200


def read_marks(conn: Connection) -> dict[str, Mark]:
    """How far files of many documents have been loaded, by path."""
    rows = conn.execute(
        "SELECT path, size, modified, documents, rejected, is_finished FROM pgsim.archive"
    )
    return {path: Mark(*mark) for path, *mark in rows}


class Account:
    """The account of one load."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        row = conn.execute("SELECT now()").fetchone()
        assert row is not None
        self._since: datetime = row[0]
        self._marks: dict[Path, Mark] = {}  # of the files that are under way
        # By path, the files of which an earlier load has read all, or a part.
        self._kept: dict[Path, list[str]] = {}

    def enter(self, batch: Iterable[tuple[Chunk, Rows]]) -> None:
        """Write down, in a transaction with their submissions, what became of chunks."""
        rejects: list[tuple[str, str, str]] = []
        advanced: list[tuple[Any, ...]] = []
        for chunk, rows in batch:
            start = 0
            for span in chunk.spans:
                end = start + span.documents
                failed = [each for each in rows.failures if start <= each[0] < end]
                rejects += [
                    (name_of(span.root), _cut(chunk.names[place]), Repairs().text(reason))
                    for place, reason in failed
                ]
                mark = self._advance(span, len(failed))
                if mark is not None:
                    advanced.append((name_of(span.path), *astuple(mark)))
                start = end
        self._conn.cursor().executemany(
            "INSERT INTO pgsim.archive AS a"
            " (path, size, modified, documents, rejected, is_finished)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (path) DO UPDATE"
            " SET size = excluded.size, modified = excluded.modified,"
            " documents = excluded.documents, rejected = excluded.rejected,"
            " is_finished = excluded.is_finished"
            # Another load can have come farther, or this one, where a path is given twice.
            " WHERE (a.size, a.modified) <> (excluded.size, excluded.modified)"
            " OR a.documents <= excluded.documents",
            advanced,
        )
        self._conn.cursor().executemany(
            "INSERT INTO pgsim.reject (file, member, reason) VALUES (%s, %s, %s)"
            " ON CONFLICT (file, member) DO UPDATE"
            " SET reason = excluded.reason, rejected_at = now()",
            rejects,
        )

    def close(self) -> None:
        """Forget the rejects of an earlier load of these paths that this one has not met again."""
        for root, kept in self._kept.items():
            self._conn.execute(
                "DELETE FROM pgsim.reject AS r WHERE r.file = %s AND r.rejected_at < %s"
                " AND NOT EXISTS (SELECT FROM unnest(%s::text[]) AS k (name)"
                " WHERE starts_with(r.member, k.name || ':'))",
                (name_of(root), self._since, kept),
            )

    def _advance(self, span: Span, rejected: int) -> Mark | None:
        """How far its file has come with a span; None where there is nothing to write down."""
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
        # A file of one document is none to go on in.
        if mark == span.known or mark.documents < 2:
            return None
        if span.is_first and span.known is None:
            self._conn.execute(
                "DELETE FROM pgsim.reject WHERE file = %s AND rejected_at < %s"
                " AND starts_with(member, %s || ':')",
                (name_of(span.root), self._since, span.name),
            )
        return mark


def write_rejects(conn: Connection, paths: Sequence[Path], file: Path) -> None:
    """Write the rejects of these paths as NDJSON: file, member and reason of each."""
    rows = conn.execute(
        "SELECT file, member, reason FROM pgsim.reject WHERE file = ANY(%s) ORDER BY file, member",
        ([name_of(path) for path in paths],),
    )
    with file.open("w", encoding="utf-8") as lines:
        for where, member, reason in rows:
            line = {"file": where, "member": member, "reason": reason}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")


def name_of(path: Path) -> str:
    """A path as `reject` and `archive` name it."""
    return _cut(str(path.absolute()))


def _cut(name: str) -> str:
    """A name that an index can hold: of a longer one the end, which says more."""
    return Repairs().text(name).encode()[-LONGEST_NAME:].decode(errors="ignore")
