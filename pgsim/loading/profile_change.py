"""Another profile for a collection that exists: sets added, left out, or weighted otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pgsim.errors import PgsimError
from pgsim.features.change import NEEDS, ProfileChange
from pgsim.features.profile import Profile
from pgsim.loading.recordings import alone, refit
from pgsim.postgres.connection import Connection, require_own_transactions
from pgsim.postgres.rows import one_row, one_value
from pgsim.progress import Advance, Say, silent, still
from pgsim.store import locks
from pgsim.store.collection import read_collection, replace_profile, write_name
from pgsim.store.index import build_metric_index, drop_indexes
from pgsim.store.layout import change_layout
from pgsim.store.table_locks import lock_tables

_OTHERS_VECTORS = """
    SELECT count(*), min(r.mbid::text)
    FROM pgsim.recording AS r
    WHERE
        r.vector IS NOT NULL
        AND NOT EXISTS (SELECT FROM pgsim.submission AS s WHERE s.mbid = r.mbid)
"""
_NOT_OWNED = """
    SELECT format('pgsim.%I', c.relname) FROM pg_class AS c
    WHERE
        c.relnamespace = 'pgsim'::regnamespace AND c.relkind IN ('r', 'v')
        AND NOT pg_has_role(c.relowner, 'USAGE')
    ORDER BY 1 LIMIT 1
"""
# Lists of recordings that have no vector any more; all others are noted by a trigger.
_NOTE_LOST = """
    INSERT INTO pgsim.stale (id)
    SELECT l.id FROM pgsim.similarity AS l INNER JOIN pgsim.recording AS r ON l.id = r.id
    WHERE r.vector IS NULL
"""


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """What becomes of a collection by another profile.

    `is_change` is False where the collection has it already, `is_done` where nothing was done.
    `added` sets have no values yet; the values of `removed` ones go. `reweighted` has the shares
    before and after. `submissions` and `recordings` are the rows that change, `indexes` the metrics
    whose index is built anew, and `next` what a person has to do then.
    """

    profile: str
    is_change: bool
    is_done: bool
    dimensions_before: int
    dimensions: int
    added: list[str]
    removed: list[str]
    reweighted: dict[str, tuple[float, float]]
    retransformed: dict[str, str]
    submissions: int
    recordings: int
    indexes: list[str]
    next: list[str]


def change_profile(
    conn: Connection,
    wanted: Profile,
    *,
    dry_run: bool = False,
    say: Say = silent,
    advance: Advance = still,
) -> ProfileReport:
    """Give the collection another profile, in one transaction; vectors and indexes follow.

    `dry_run` only says what would be done. `say` receives each step and for whom this waits,
    `advance` how many more recordings are done. PgsimError where this role may not do so, a rebuild
    is not finished, or vectors could not be made anew. `conn` is in autocommit mode.
    """
    require_own_transactions(conn, "profile")
    if dry_run:
        change = ProfileChange.between(read_collection(conn).profile, wanted)
        _require_possible(conn, change)
        return _report(conn, change, is_done=False)
    with (
        locks.held(conn, locks.SCHEMA, say=say),
        _no_rebuild(conn),
        locks.held(conn, locks.MATRIX, say=say),
        alone(conn, say),
    ):
        held = read_collection(conn)
        change = ProfileChange.between(held.profile, wanted)
        _require_possible(conn, change)
        report = _report(conn, change, is_done=not change.is_none)
        if not change.makes_vectors:
            write_name(conn, wanted)
            return report
        lock_tables(conn, ["recording", "submission", "sampled_pair"], say)
        drop_indexes(conn)
        if change.moves:
            say("writing the features of all submissions in their new places")
            change_layout(conn, change.parts())
        replace_profile(conn, change.wanted)
        if change.added:  # files that were read before may hold them
            conn.execute("DELETE FROM pgsim.archive")
        if held.fit is not None:
            say("fitting the feature sets, fusing all recordings and building the index")
            refit(conn, advance, say)
            fit = read_collection(conn).fit
            for metric in report.indexes:
                if fit and metric in fit.fitted:
                    build_metric_index(conn, metric)
        conn.execute(_NOTE_LOST)
    return report


@contextmanager
def _no_rebuild(conn: Connection) -> Iterator[None]:
    """Let no rebuild begin; PgsimError where one is at work."""
    try:
        with locks.held(conn, locks.REBUILD, within=0):
            yield
    except locks.LockTaken as error:
        raise PgsimError(f"{error}, for a rebuild: let it finish first") from None


def _require_possible(conn: Connection, change: ProfileChange) -> None:
    held, wanted = change.held, change.wanted
    for what in ("extractor", "genre_scheme"):
        before, after = getattr(held, what), getattr(wanted, what)
        if before != after:
            raise PgsimError(
                f"profile '{wanted.name}' is for {what} {after!r}, and this collection for"
                f" {before!r}: one database, one {what.replace('_', ' ')}; name another database"
            )
    if change.is_none:
        return
    if other := conn.execute(_NOT_OWNED).fetchone():
        raise PgsimError(
            f"role '{conn.info.user}' does not own {other[0]}: its owner may run pgsim profile"
        )
    if held.name != wanted.name:
        _require_no_table(conn, held, wanted)
    if not change.makes_vectors:
        return
    if one_value(conn, "SELECT EXISTS (SELECT FROM pgsim.rebuild WHERE finished_at IS NULL)"):
        raise PgsimError(
            "a rebuild is not finished, whose lists are of today's vectors: let pgsim rebuild"
            " finish it first"
        )
    count, example = one_row(conn, _OTHERS_VECTORS)
    if count:
        raise PgsimError(
            f"{count} recordings have a vector but no submission (plain SQL wrote them, or"
            f" pgsim dump --matrix left it out), such as {example}: their vectors cannot be made"
            " anew; load their documents, or delete them"
        )
    for old, new in change.kept:
        if new.transform != old.transform and new.transform in NEEDS:
            wrong, needed = NEEDS[new.transform]
            query = (
                "SELECT count(*) FROM pgsim.submission AS s WHERE EXISTS (SELECT FROM"
                f" unnest(s.features[%s:%s]) AS f (value) WHERE f.value {wrong})"
            )
            ends = (old.position + 1, old.position + old.length)
            if count := one_value(conn, query, ends):
                raise PgsimError(
                    f"set '{new.name}': {count} submissions have numbers {wrong}; the transform"
                    f" '{new.transform}' needs {needed}: choose another transform"
                )


def _require_no_table(conn: Connection, held: Profile, wanted: Profile) -> None:
    """PgsimError where rows of tables are known by the profile's name."""
    query = "SELECT EXISTS (SELECT FROM pgsim.submission WHERE source = %s)"
    if one_value(conn, query, (f"table:{held.name}",)):
        raise PgsimError(
            f"rows of tables were loaded as those of profile '{held.name}', and would be loaded as"
            f" others under the name '{wanted.name}': write name = \"{held.name}\""
        )


def _report(conn: Connection, change: ProfileChange, *, is_done: bool) -> ProfileReport:
    submissions, recordings, lists = one_row(
        conn,
        "SELECT (SELECT count(*) FROM pgsim.submission), (SELECT count(vector) FROM"
        " pgsim.recording), EXISTS (SELECT FROM pgsim.similarity)",
    )
    after = {each.name for each in change.wanted.sets}
    indexes = [
        name
        for (name,) in conn.execute(
            "SELECT name FROM pgsim.feature_set"
            " WHERE to_regclass(format('pgsim.%I', 'recording_vector_' || name)) IS NOT NULL"
            " ORDER BY position"
        )
        if name in after and not change.wanted.map
    ]
    steps = []
    if submissions and change.added:
        steps.append(f"to give recordings {', '.join(change.added)}: pgsim load what holds it")
        steps.append("then, to fit what was loaded: pgsim fuse --refit")
    if change.makes_vectors and lists:
        steps.append("all lists are of the old vectors: pgsim rebuild")
    return ProfileReport(
        change.wanted.name,
        not change.is_none,
        is_done,
        change.held.dimensions,
        change.wanted.dimensions,
        change.added,
        change.removed,
        change.reweighted,
        change.retransformed,
        submissions if change.moves else 0,
        recordings if change.makes_vectors else 0,
        indexes if change.makes_vectors else [],
        steps,
    )
