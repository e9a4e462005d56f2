"""What happens to a room's database before, between and after the runs of a command."""

import psycopg

from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.connection import Connection, DatabaseError
from tests.crash.bases import RECORDINGS
from tests.crash.room import Room
from tests.support.lists import assert_reaches_are_those_of_the_lists
from tests.support.rows import one

CHANGES = 3  # times that recordings change while a follower follows
# Pairs of the first vectors: what they make does not depend on the vectors of today.
_PAIRS = (
    " FROM public.original AS o, public.original AS p"
    f" WHERE p.id = {RECORDINGS + 1} - o.id AND o.id %% %s = %s"
)


def nothing(_: Room) -> None:
    """No step."""


def change(room: Room) -> None:
    """Insert, change and delete recordings: the lists do not know of it yet."""
    with room.connection() as conn, conn.transaction():
        conn.execute(
            "UPDATE pgsim.recording AS r SET vector = o.vector OPERATOR(public.+) p.vector"
            f"{_PAIRS} AND r.id = o.id".encode(),
            (40, 0),
        )
        conn.execute("DELETE FROM pgsim.recording WHERE id % 60 = 7")
        conn.execute(
            "INSERT INTO pgsim.recording (mbid, title, vector)"
            " SELECT md5('new' || o.id)::uuid, 'New ' || o.id, o.vector OPERATOR(public.+) p.vector"
            f"{_PAIRS}".encode(),
            (50, 1),
        )


def touch(room: Room) -> None:
    """Change some vectors; to do it twice changes nothing more."""
    with room.connection() as conn:
        _touch(conn, 3)


def _touch(conn: Connection, rest: int) -> None:
    conn.execute(
        "UPDATE pgsim.recording AS r SET vector = p.vector OPERATOR(public.-) o.vector"
        f"{_PAIRS} AND r.id = o.id".encode(),
        (45, rest),
    )


def bring_up_to_date(room: Room) -> None:
    """Refresh the lists."""
    with room.connection() as conn:
        refresh(conn)


def begin_rebuild(room: Room) -> None:
    """Begin a rebuild whose coordinator is gone when one part is done."""
    with room.connection() as conn:
        try:
            rebuild(conn, engine="exact", advance=_give_up)
        except InterruptedError:
            assert one(conn, "SELECT count(*) FROM pgsim.rebuild WHERE finished_at IS NULL") == 1


def _give_up(_: int, __: float | None = None) -> None:
    raise InterruptedError


def end_rebuild(room: Room) -> None:
    """Switch to the matrix of a rebuild that was joined, and refresh what changed meanwhile."""
    done = room.finish("rebuild")
    assert done.code == 0, done.err
    bring_up_to_date(room)


def prepare_to_follow(room: Room) -> None:
    """Make changes for a follower to begin with."""
    change(room)
    with room.connection() as conn:
        conn.execute("CREATE TABLE public.change AS SELECT 0 AS number")


def feed_follower(room: Room) -> bool:
    """Change recordings when all is refreshed; True when the last change is refreshed too."""
    try:
        with room.connection() as conn, conn.transaction():
            if one(conn, "SELECT EXISTS (SELECT FROM pgsim.stale)"):
                return False
            number = one(conn, "SELECT number FROM public.change")
            if number == CHANGES:
                return True
            conn.execute("UPDATE public.change SET number = number + 1")
            _touch(conn, 10 + number)
    except (DatabaseError, psycopg.OperationalError):  # the server is away
        return False
    return False


def require_marks_of_what_is_kept(room: Room) -> None:
    """Documents of archives and the marks of how far these were read are committed together."""
    with room.connection() as conn:
        marked = one(conn, "SELECT coalesce(sum(documents - rejected), 0) FROM pgsim.archive")
        kept = one(conn, "SELECT count(*) FROM pgsim.submission, jsonb_object_keys(documents)")
    assert kept == marked, f"{kept} documents are kept, but {marked} are marked as read"


def require_answers(room: Room) -> None:
    """Questions have whole answers, whatever is half done."""
    with room.connection() as conn:
        assert_reaches_are_those_of_the_lists(conn)
        some = "pgsim.recording AS r WHERE r.id % 200 = 11"
        wanted = one(conn, f"SELECT 10 * count(*) FROM {some}".replace("%", "%%"))
        asked = some.replace(" WHERE", ", similar_recordings(r.mbid, 10) WHERE")
        found = one(conn, f"SELECT count(*) FROM {asked}".replace("%", "%%"))
    assert found == wanted, f"{found} answers instead of {wanted}"
