"""A proposed profile for a table: which column may be what, for a person to edit."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pgsim.errors import PgsimError, UsageError
from pgsim.features.profile import (
    CELL_KEYS,
    COLUMN_KEYS,
    MOST_DIMENSIONS,
    Profile,
    parse_profile,
    read_profile,
    shipped_names,
)
from pgsim.features.profile_text import toml
from pgsim.progress import Say, silent
from pgsim.sources import bliss, mstream, sqlite, tables
from pgsim.sources.description.column import Column, columns_of
from pgsim.sources.description.comments import REMARK, shown
from pgsim.sources.description.folder import propose_folder
from pgsim.sources.description.library import propose_bliss, propose_snapshot
from pgsim.sources.description.roles import Roles, roles_of
from pgsim.sources.description.sets import ProposedSet, set_name, sets_of
from pgsim.sources.source import Source
from pgsim.sources.streams.files import kinds
from pgsim.sources.table_rows import TABLE_READERS, notes_of

ROWS = 1000  # the first rows of the table, which the profile is made from
# A share of the weights: of each dimension alike, but none so small that a profile refuses it.
_LEAST_SHARE = 0.002
_MOST_NAMED = 40  # columns in one comment
_LIBRARIES: tuple[tuple[Source, Callable[[Path], str]], ...] = (
    (bliss, propose_bliss),
    (mstream, propose_snapshot),
)


def profile_for(name_or_path: str, say: Say = silent) -> Profile:
    """Return a shipped profile, that of a TOML file, or the one proposed for what is to be loaded.

    `say` receives what a person should look at. UsageError or PgsimError if there is none.
    """
    path = Path(name_or_path)
    if name_or_path in shipped_names() or not _is_described(path):
        return read_profile(name_or_path)
    text = propose_profile(path)
    for line in text.splitlines():
        if line.startswith(REMARK):
            say(line.removeprefix("# "))
    return parse_profile(text, path)


def _is_described(path: Path) -> bool:
    if not path.is_file():
        return path.is_dir()
    is_known = tables.accepts(path) or any(source.accepts(path) for source, _ in _LIBRARIES)
    return is_known or bool(sqlite.why_none(path))


def propose_profile(path: Path) -> str:
    """Return a profile for a table, as TOML with comments; always the same for the same file.

    It is made from the first 1,000 rows, or for a folder of arrays from the first 100 files. A
    database of bliss has the shipped one of its version, and a snapshot of mStream that of its
    model. UsageError if `path` is none of these; PgsimError if no column has numbers, or nothing
    can be read.
    """
    if path.is_dir():
        return propose_folder(path)
    for source, propose in _LIBRARIES:
        if source.accepts(path):
            return propose(path)
    if not tables.accepts(path):
        if why := sqlite.why_none(path):
            raise UsageError(f"cannot describe it: {why}")
        raise UsageError(f"cannot describe {path}: not a file named {kinds(TABLE_READERS)}")
    members = list(islice(tables.members(path), ROWS))
    rows: list[dict[str, Any]] = [orjson.loads(each.data) for each in members if not each.fault]
    faults = [each for each in members if each.fault]
    if not rows:
        raise PgsimError(f"no row of {path} can be read: {faults[0].fault}")
    columns = list(columns_of(rows))
    roles = roles_of(columns)
    sets = list(sets_of(roles.features, list(rows[0]), roles.is_of_frames))
    if not sets:
        reasons = [f"{name!r}: {why}" for name, why in roles.left_out.items()]
        why = "".join(f"; {each}" for each in [*reasons, *roles.odd][:6])
        raise PgsimError(
            f"no column of {path} has numbers by which recordings can be compared{why}"
        )
    odd = list(roles.odd)
    if faults:
        odd.append(
            f"{len(faults)} of {len(members)} rows cannot be read, the first at {faults[0].name}:"
            f" {faults[0].fault}"
        )
    kept = _within(sets, MOST_DIMENSIONS)
    if not kept:
        raise PgsimError(
            f"every set of numbers in {path} has more than {MOST_DIMENSIONS} dimensions, the most"
            " that an indexed vector can have: reduce them first, by PCA for instance"
        )
    lines = [
        f"# Proposed from {len(rows)} rows of {shown(path.name)}. Check it, save it, then run:",
        "#   pgsim init --profile THIS_FILE.toml",
        f"#   pgsim load {shown(path.name)}",
        *(f"# The file: {shown(note)}" for note in notes_of(path)),
        f"name = {toml(set_name(path.name.partition('.')[0], set()))}",
        'extractor = "unknown"  # what measured the features; a database has those of one only',
        'genre_scheme = "tag"',
        "",
        *_column_lines(columns, roles, odd),
    ]
    total = sum(each.length for each in kept)
    for each in sets:
        text = list(_set_lines(each, each.length / total))
        if each not in kept:
            text = [
                f"# Left out: an indexed vector has at most {MOST_DIMENSIONS} dimensions.",
                *(f"# {line}" for line in text),
            ]
        lines += ["", *text]
    return "\n".join(lines) + "\n"


def _within(sets: Sequence[ProposedSet], most: int) -> list[ProposedSet]:
    """Return the first sets that have at most so many dimensions together."""
    kept: list[ProposedSet] = []
    for each in sets:
        if sum(one.length for one in kept) + each.length <= most:
            kept.append(each)
    return kept


def _column_lines(columns: Sequence[Column], roles: Roles, odd: Sequence[str]) -> Iterator[str]:
    known = ", ".join((*COLUMN_KEYS, *CELL_KEYS))
    yield f"# Which column has what; the known keys are {known}."
    yield "[columns]"
    for key in COLUMN_KEYS:
        if key in roles.named:
            remark = roles.remarks.get(key)
            yield f"{key} = {toml(roles.named[key])}" + (f"  # {shown(remark)}" if remark else "")
    for key in CELL_KEYS:
        if key in roles.options:
            yield f"{key} = {toml(roles.options[key])}"
    for each in odd:
        yield f"{REMARK}{shown(each)}."
    reasons: dict[str, list[str]] = {}
    for name, reason in roles.left_out.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        yield f"# No feature: {_names(names)}: {reason}."
    used = {each.name for each in roles.features} | roles.left_out.keys()
    for value in roles.named.values():
        used |= {value} if isinstance(value, str) else set(value)
    if unused := [column.name for column in columns if column.name not in used]:
        yield f"# Not used: {_names(unused)}"


def _set_lines(each: ProposedSet, share: float) -> Iterator[str]:
    form, transform, aggregate = each.treatment
    low, high = np.nanmin(each.values), np.nanmax(each.values)
    lacking = f"; {each.lacking} of {len(each.values)} rows lack it" if each.lacking else ""
    yield f"# {shown(each.about)}; from {low:.4g} to {high:.4g}{lacking}"
    yield "[[set]]"
    yield f"name = {toml(each.name)}"
    yield f"path = {toml(each.path)}"
    if form:
        yield f'form = "{form}"'
    yield f"length = {each.length}"
    yield f'transform = "{transform}"'
    yield f'aggregate = "{aggregate}"'
    yield f"weight = {max(share, _LEAST_SHARE):.4g}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(toml(name) for name in names[:_MOST_NAMED]) + more
