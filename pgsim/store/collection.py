"""What a database holds: its profile, and how its feature sets were fitted."""

from dataclasses import dataclass

import numpy as np
from psycopg import errors
from psycopg.types.json import Jsonb

from pgsim.errors import PgsimError
from pgsim.features.fusion import Fit
from pgsim.features.profile import COLUMN_KEYS, FeatureSet, Profile
from pgsim.postgres.connection import Connection


@dataclass(frozen=True, slots=True)
class Collection:
    """The profile of a database, and its fit; None before the first load has ended."""

    profile: Profile
    fit: Fit | None


def no_collection(conn: Connection) -> PgsimError:
    """What to say where pgsim is not installed."""
    return PgsimError(f"database '{conn.info.dbname}' holds no collection yet: run pgsim init")


def read_collection(conn: Connection) -> Collection:
    """What this database holds; PgsimError where no pgsim, or an older one, was installed in it."""
    try:
        with conn.transaction():
            row = conn.execute(
                "SELECT profile, extractor, genre_scheme, columns, fitted_on FROM pgsim.collection"
            ).fetchone()
            sets = conn.execute(
                "SELECT name, paths, form, length, transform, aggregate, weight, position,"
                " center, scale FROM pgsim.feature_set ORDER BY position"
            ).fetchall()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        row = None
    except errors.UndefinedColumn:
        raise PgsimError(
            f"the tables in database '{conn.info.dbname}' are of an older pgsim:"
            " run pgsim init --upgrade"
        ) from None
    if row is None:
        raise no_collection(conn)
    profile_name, extractor, genre_scheme, columns, fitted_on = row
    profile = Profile(
        profile_name,
        extractor,
        genre_scheme,
        tuple(
            FeatureSet(name, tuple(paths), form, length, transform, aggregate, weight, position - 1)
            for name, paths, form, length, transform, aggregate, weight, position, _, _ in sets
        ),
        tuple((key, columns[key]) for key in COLUMN_KEYS if key in columns),
    )
    if fitted_on is None:
        return Collection(profile, None)
    center, scale = np.zeros(profile.dimensions), np.zeros(profile.dimensions)
    fitted = set()
    for each, (*_, set_center, set_scale) in zip(profile.sets, sets, strict=True):
        if set_center is not None:
            fitted.add(each.name)
            center[each.slice], scale[each.slice] = set_center, set_scale
    return Collection(profile, Fit(center, scale, frozenset(fitted), fitted_on))


def write_collection(conn: Connection, profile: Profile) -> None:
    """Make this database one of that profile, not yet fitted."""
    conn.execute(
        "INSERT INTO pgsim.collection (profile, extractor, genre_scheme, columns)"
        " VALUES (%s, %s, %s, %s)",
        (profile.name, profile.extractor, profile.genre_scheme, Jsonb(dict(profile.columns))),
    )
    conn.cursor().executemany(
        "INSERT INTO pgsim.feature_set"
        " (name, position, length, paths, form, transform, aggregate, weight, labels)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
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
            )
            for each in profile.sets
        ],
    )


def write_columns(conn: Connection, profile: Profile) -> None:
    """Read tables by this profile's columns from now on."""
    conn.execute(
        "UPDATE pgsim.collection SET columns = %(columns)s WHERE columns <> %(columns)s",
        {"columns": Jsonb(dict(profile.columns))},
    )


def write_fit(conn: Connection, profile: Profile, fit: Fit) -> None:
    """Keep the fit of this database's feature sets; an unfitted set has none."""
    for each in profile.sets:
        has_fit = each.name in fit.fitted
        conn.execute(
            "UPDATE pgsim.feature_set SET center = %s, scale = %s WHERE name = %s",
            (
                fit.center[each.slice].tolist() if has_fit else None,
                fit.scale[each.slice].tolist() if has_fit else None,
                each.name,
            ),
        )
    conn.execute("UPDATE pgsim.collection SET fitted_at = now(), fitted_on = %s", (fit.recordings,))
