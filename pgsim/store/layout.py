"""The places of feature sets in submissions and vectors, changed in a collection that exists."""

from collections.abc import Sequence

from pgsim.features.profile import FeatureSet
from pgsim.postgres.connection import Connection, naming_pgvector
from pgsim.postgres.rows import one_value
from pgsim.store import code


def change_layout(conn: Connection, parts: Sequence[tuple[int, FeatureSet | None]]) -> None:
    """Give submissions and vectors these sets, each of a length, with the values of an old set.

    Without an old set the values are missing. All vectors are NULL afterwards. Runs in a
    transaction of the tables' owner, without indexes on the vectors. PgsimError names what of the
    user's depends on the vectors.
    """
    dimensions = sum(length for length, _ in parts)
    features = " || ".join(
        f"array_fill('NaN'::real, ARRAY[{length}])"
        if old is None
        else f"features[{old.position + 1}:{old.position + old.length}]"
        for length, old in parts
    )
    privileges = code.read_privileges(conn)
    shown = one_value(conn, "SELECT pgsim.shown_similarity()")
    # The bodies of SQL functions are bound to columns, whose type then cannot change.
    code.drop_dependants(conn, {"pgsim.recording": "vector", "pgsim.sampled_pair": "difference"})
    # Both tables are written anew: no old version of a row stays, and no trigger is called.
    conn.execute(
        f"ALTER TABLE pgsim.submission ALTER COLUMN features TYPE real[] USING {features}".encode()
    )
    conn.execute("DELETE FROM pgsim.sampled_pair")
    conn.execute("DELETE FROM pgsim.donor")
    # A distance to a vector of the other space would say nothing.
    conn.execute("UPDATE pgsim.stale SET old_vector = NULL WHERE old_vector IS NOT NULL")
    with code.dependants_named("the profile changes", "run pgsim profile"), naming_pgvector(conn):
        conn.execute(
            "ALTER TABLE pgsim.recording"
            f" ALTER COLUMN vector TYPE vector({dimensions}) USING NULL::vector".encode()
        )
        conn.execute(
            "ALTER TABLE pgsim.sampled_pair"
            f" ALTER COLUMN difference TYPE vector({dimensions})".encode()
        )
    code.replace_code(conn)
    code.require_own_dependencies(conn)
    conn.execute("SELECT pgsim.show_similarity(%s)", (shown,))
    code.restore_privileges(conn, privileges)
