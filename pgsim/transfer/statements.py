"""The statements of a dump's SQL, told apart as psql does, and those that no dump has."""

import re

from pgsim.errors import PgsimError

# What would end the transaction of a restore, or begin another one.
_CONTROL = {"abort", "begin", "commit", "end", "prepare", "rollback", "start"}
_ROUTINE = re.compile("create (?:or replace )?(?:function|procedure) ")
_WORDS = 4  # of a statement's beginning, by which a routine is known
_ROWS = re.compile(rb"COPY [^\n]* FROM stdin;")
_SETTING = b"standard_conforming_strings"
_PARTS = rb"""
    (?P<comment> --[^\n]* | /\* )
    | (?P<text> {strings} | "(?:[^"]|"")*" )
    | (?P<dollar> \$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$ )
    | (?P<word> [A-Za-z_\x80-\xff][\w$\x80-\xff]* )
    | (?P<number> [0-9][\w$]* )
    | (?P<mark> [;()] )
    | (?P<open> ['"] )
"""
_ESCAPES = rb"'(?:[^'\\]|\\.|'')*'"
_TOKEN = {
    True: re.compile(
        _PARTS.replace(b"{strings}", rb"[eE]" + _ESCAPES + rb" | '(?:[^']|'')*'"),
        re.VERBOSE | re.DOTALL,
    ),
    False: re.compile(_PARTS.replace(b"{strings}", rb"[eE]?" + _ESCAPES), re.VERBOSE | re.DOTALL),
}
_BRACKET = re.compile(rb"/\*|\*/")


class StrangeStatementError(PgsimError):
    """A script has a statement that no dump has."""


class Statements:
    """Reads SQL in parts, and refuses what no dump has."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_standard = True  # a backslash in a text is a backslash

    def read(self, part: bytes, *, rows_follow: bool) -> None:
        """Read on; StrangeStatementError where a statement is strange.

        Rows of COPY follow after a whole statement alone: else psql would take them for SQL.
        """
        text = self._rest + part
        start = 0
        while (end := self._end(text, start)) is not None:
            self._require_known(
                text[start:end].strip(), rows_follow=rows_follow and not text[end:].strip()
            )
            start = end
        self._rest = text[start:]
        if rows_follow and _without_comments(self._rest):
            raise StrangeStatementError("rows of COPY stand inside a statement")

    def _end(self, text: bytes, start: int) -> int | None:
        """Where the statement ends that begins here; None where its end is not there yet."""
        words: list[str] = []
        brackets = blocks = 0
        at = start
        while found := _TOKEN[self._is_standard].search(text, at):
            at = found.end()
            kind, token = found.lastgroup, found[0]
            if kind == "open":
                return None
            if kind == "comment" and token == b"/*":
                at = _comment_end(text, at)
            elif kind == "dollar":
                at = text.find(token, at) + len(token)
            if at < found.end():
                return None
            if kind == "word":
                word = token.decode(errors="replace").lower()
                if not words and word in _CONTROL:
                    raise StrangeStatementError(f"a dump holds no {word.upper()}")
                if len(words) < _WORDS:
                    words.append(word)
                if _ROUTINE.match(" ".join(words) + " "):
                    # BEGIN ATOMIC ... END, with CASE ... END inside
                    if word == "begin" or (word == "case" and blocks):
                        blocks += 1
                    elif word == "end" and blocks:
                        blocks -= 1
            elif kind == "mark":
                brackets += {b"(": 1, b")": -1}.get(token, 0)
                if token == b";" and brackets <= 0 and not blocks:
                    return at
        return None

    def _require_known(self, statement: bytes, *, rows_follow: bool) -> None:
        plain = _without_comments(statement)
        if plain[:4].lower() == b"copy" and not (rows_follow and _ROWS.fullmatch(plain)):
            raise StrangeStatementError("a dump copies rows from itself alone")
        if _SETTING in plain:
            value = plain.removeprefix(b"SET " + _SETTING + b" = ")
            if value not in (b"on;", b"off;"):
                raise StrangeStatementError(f"a dump does no more than SET {_SETTING.decode()}")
            self._is_standard = value == b"on;"


def _comment_end(text: bytes, at: int) -> int:
    """Where a comment ends that begins before this place; -1 where its end is not there."""
    depth = 1
    while depth and (found := _BRACKET.search(text, at)):
        depth += 1 if found[0] == b"/*" else -1
        at = found.end()
    return -1 if depth else at


def _without_comments(statement: bytes) -> bytes:
    """The statement without the comments before it."""
    while True:
        statement = statement.lstrip()
        if statement.startswith(b"--"):
            statement = statement.partition(b"\n")[2]
        elif statement.startswith(b"/*"):
            end = _comment_end(statement, 2)
            if end < 0:
                return statement
            statement = statement[end:]
        else:
            return statement
