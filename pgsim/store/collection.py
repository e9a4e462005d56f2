"""The collection of a database: its profile, and the fit of its feature sets."""

from dataclasses import dataclass

import numpy as np
from psycopg import errors
from psycopg.types.json import Jsonb

from pgsim.errors import PgsimError
from pgsim.features.fusion import Fit
from pgsim.features.profile import CELL_KEYS, COLUMN_KEYS, FeatureSet, Profile, Rows
from pgsim.postgres.connection import Connection
from pgsim.store.files import newest_revision

# What PostgreSQL says of a query about tables of another version, or of none.
_OTHER_TABLES = (errors.UndefinedTable, errors.InvalidSchemaName, errors.UndefinedColumn)


@dataclass(frozen=True, slots=True)
class Collection:
    """The profile of a database, and its fit; None before the first load has ended."""

    profile: Profile
    fit: Fit | None


def no_collection(conn: Connection) -> PgsimError:
    """The error of a database in which pgsim is not installed."""
    return PgsimError(f"database '{conn.info.dbname}' holds no collection yet: run pgsim init")


def read_revision(conn: Connection) -> str:
    """The Alembic revision of this database's tables; PgsimError where pgsim is not installed."""
    try:
        with conn.transaction():
            row = conn.execute("SELECT version_num FROM pgsim.alembic_version").fetchone()
    except _OTHER_TABLES:
        row = None
    if row is None:
        raise no_collection(conn)
    return str(row[0])


def require_not_newer(conn: Connection, revision: str, newest: str) -> None:
    """PgsimError where the tables are of a newer revision than this pgsim's newest."""
    if revision > newest:
        raise PgsimError(
            f"the tables in database '{conn.info.dbname}' are of revision {revision}, which is"
            f" newer than this pgsim's {newest}: install a newer pgsim"
        )


def require_current(conn: Connection, revision: str) -> None:
    """PgsimError, with the cure, where tables of that revision are not of this pgsim."""
    newest = newest_revision()
    require_not_newer(conn, revision, newest)
    if revision < newest:
        raise PgsimError(
            f"the tables in database '{conn.info.dbname}' are of revision {revision}, which is"
            f" older than this pgsim's {newest}: run pgsim init --upgrade"
        )


def read_collection(conn: Connection) -> Collection:
    """The collection of this database; every piece of work on a collection reads it first.

    PgsimError, with the cure, where pgsim is not installed, or another version of it.
    """
    try:
        with conn.transaction():
            row = conn.execute(
                "SELECT profile, extractor, genre_scheme, columns, map, fitted_on,"
                " (SELECT version_num FROM pgsim.alembic_version) FROM pgsim.collection"
            ).fetchone()
            sets = conn.execute(
                "SELECT name, paths, form, length, transform, aggregate, weight, position,"
                " map, center, scale, quantiles FROM pgsim.feature_set ORDER BY position"
            ).fetchall()
    except _OTHER_TABLES:
        require_current(conn, read_revision(conn))
        raise
    if row is None or row[-1] is None:
        raise no_collection(conn)
    profile_name, extractor, genre_scheme, columns, across, fitted_on, revision = row
    require_current(conn, revision)
    profile = Profile(
        profile_name,
        extractor,
        genre_scheme,
        tuple(
            FeatureSet(
                *(name, tuple(paths), form, length, transform, aggregate, weight, position - 1),
                _rows(matrix),
            )
            for (name, paths, form, length, transform, aggregate, weight, position, matrix, *_) in (
                sets
            )
        ),
        tuple(
            (key, tuple(value) if isinstance(value, list) else value)
            for key in (*COLUMN_KEYS, *CELL_KEYS)
            if (value := columns.get(key)) is not None
        ),
        _rows(across),
    )
    if fitted_on is None:
        return Collection(profile, None)
    center, scale = np.zeros(profile.dimensions), np.zeros(profile.dimensions)
    fitted = set()
    tables = {}
    for each, (*_, set_center, set_scale, quantiles) in zip(profile.sets, sets, strict=True):
        if set_center is not None:
            fitted.add(each.name)
            center[each.slice], scale[each.slice] = set_center, set_scale
        if quantiles is not None:
            tables[each.name] = np.array(quantiles, np.float64).T
    return Collection(profile, Fit(center, scale, frozenset(fitted), fitted_on, tables))


def write_collection(conn: Connection, profile: Profile) -> None:
    """Write the profile of a new collection, which is not fitted yet."""
    conn.execute(
        "INSERT INTO pgsim.collection (profile, extractor, genre_scheme, columns)"
        " VALUES (%s, %s, %s, %s)",
        (profile.name, profile.extractor, profile.genre_scheme, Jsonb(dict(profile.columns))),
    )
    _write_map(conn, profile)
    _write_sets(conn, profile)


def replace_profile(conn: Connection, profile: Profile) -> None:
    """Write another profile of the collection; none of its sets is fitted yet."""
    conn.execute("DELETE FROM pgsim.feature_set")
    _write_map(conn, profile)
    _write_sets(conn, profile)
    write_name(conn, profile)


def write_name(conn: Connection, profile: Profile) -> None:
    """Write the name of the profile, and the columns by which tables are read."""
    conn.execute("UPDATE pgsim.collection SET profile = %s", (profile.name,))
    write_columns(conn, profile)


def _write_sets(conn: Connection, profile: Profile) -> None:
    conn.cursor().executemany(
        "INSERT INTO pgsim.feature_set"
        " (name, position, length, paths, form, transform, aggregate, weight, labels, map,"
        " inverse) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (
                each.name,
                each.position + 1,
                each.length,
                list(each.paths),
                each.form,
                each.transform,
                each.aggregate,
                each.weight,
                each.labels,
                *_with_inverse(each.map),
            )
            for each in profile.sets
        ],
    )


def write_sets(conn: Connection, profile: Profile) -> None:
    """Write transforms, weights and maps into a collection, which is then not fitted."""
    _write_map(conn, profile)
    for each in profile.sets:
        conn.execute(
            "UPDATE pgsim.feature_set SET transform = %s, weight = %s, map = %s, inverse = %s,"
            " center = NULL, scale = NULL, quantiles = NULL WHERE name = %s",
            (
                each.transform,
                each.weight,
                *_with_inverse(each.map),
                each.name,
            ),
        )


def _write_map(conn: Connection, profile: Profile) -> None:
    conn.execute("UPDATE pgsim.collection SET map = %s, inverse = %s", _with_inverse(profile.map))


def _with_inverse(rows: Rows | None) -> tuple[list[list[float]] | None, list[list[float]] | None]:
    """A map as SQL takes it, and its inverse, by which SQL finds the values again."""
    if rows is None:
        return None, None
    return [list(row) for row in rows], np.linalg.inv(np.array(rows)).tolist()


def _rows(matrix: list[list[float]] | None) -> Rows | None:
    return tuple(map(tuple, matrix)) if matrix else None


def write_columns(conn: Connection, profile: Profile) -> None:
    """Read tables by the columns of this profile from now on."""
    conn.execute(
        "UPDATE pgsim.collection SET columns = %(columns)s WHERE columns <> %(columns)s",
        {"columns": Jsonb(dict(profile.columns))},
    )


def write_fit(conn: Connection, profile: Profile, fit: Fit) -> None:
    """Write the fit of the feature sets; an unfitted set has no center and no scale."""
    for each in profile.sets:
        has_fit = each.name in fit.fitted
        conn.execute(
            "UPDATE pgsim.feature_set SET center = %s, scale = %s, quantiles = %s WHERE name = %s",
            (
                fit.center[each.slice].tolist() if has_fit else None,
                fit.scale[each.slice].tolist() if has_fit else None,
                fit.quantiles[each.name].T.tolist() if each.name in fit.quantiles else None,
                each.name,
            ),
        )
    conn.execute("UPDATE pgsim.collection SET fitted_at = now(), fitted_on = %s", (fit.recordings,))
