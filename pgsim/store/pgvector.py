"""Releases of pgvector that do harm, and what pgsim does about it."""

from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_value

# The older of the release that is installed in the database and the one that the server has: a
# session loads the server's library. It has to work in the middle of a restore.
_RELEASE = """
    SELECT
        min(pg_catalog.string_to_array(pg_catalog.substring(v.release, '^[0-9.]+'), '.')::integer[])
    FROM pg_catalog.pg_available_extensions AS a
    CROSS JOIN LATERAL (VALUES (a.installed_version), (a.default_version)) AS v (release)
    WHERE a.name = 'vector'
"""
SOUND_RELEASE = (0, 8, 4)
_FAULTS = (
    (
        (0, 8, 2),
        "can leak data or crash the server while it builds an HNSW index in parallel"
        " (CVE-2026-3172), so that pgsim builds it without parallel workers",
    ),
    ((0, 8, 3), "can damage an HNSW index by VACUUM beside INSERT"),
    ((0, 8, 4), "can fail to VACUUM an HNSW index beside INSERT and DELETE"),
)
# CVE-2026-3172, in 0.6.0 to 0.8.1: a build of an HNSW index by several workers writes beyond its
# memory.
_IS_SERIAL = "{release} < ARRAY[0, 8, 2]"


def serial_build(*, is_local: bool) -> str:
    """The statement before the build of an index: no parallel workers, where they would do harm."""
    unsound = _IS_SERIAL.format(release="r.release")
    return (
        f"SELECT pg_catalog.set_config('max_parallel_maintenance_workers', '0', {is_local})"
        f" FROM ({_RELEASE.strip()}) AS r (release) WHERE {unsound}"
    )


def read_release(conn: Connection) -> tuple[int, ...]:
    """The release of pgvector that sessions of this database work with."""
    return tuple(one_value(conn, _RELEASE))


def release_faults(release: tuple[int, ...]) -> str:
    """The known faults of a release that is older than the sound one."""
    faults = [fault for fixed, fault in _FAULTS if release < fixed]
    return "; it ".join(faults)
