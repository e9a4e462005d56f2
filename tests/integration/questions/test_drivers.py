"""How drivers send a seed: as a uuid, as a literal without a type, or as text."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from pgsim import embedded
from pgsim.postgres.connection import Connection, connect
from tests.support.documents import mbid

NAMED = "SELECT mbid FROM pgsim.similar_recordings({}, 3, decade => NULL)"


@pytest.fixture(scope="module")
def conn(server: embedded.Server, filled_template: str) -> Iterator[Connection]:
    """A database in which nothing is changed."""
    with closing(connect(server.conninfo(filled_template), autocommit=True)) as conn:
        yield conn


@pytest.fixture(scope="module")
def expected(conn: Connection) -> list[object]:
    """The answer to a seed that is a UUID."""
    return [row for (row,) in conn.execute(NAMED.format("%s").encode(), (mbid(1),))]


@pytest.fixture(scope="module")
def engine(conn: Connection) -> Iterator[sa.Engine]:
    """SQLAlchemy, on the driver psycopg."""
    dsn = conn.info.dsn
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("seed", ["CAST(:seed AS uuid)", "pgsim.mbid_of(:seed)"])
def test_sqlalchemy_asks_with_text_that_is_cast_or_named(
    engine: sa.Engine, expected: list[object], seed: str
) -> None:
    with engine.connect() as session:
        rows = session.execute(sa.text(NAMED.format(seed)), {"seed": str(mbid(1))})
        assert [row for (row,) in rows] == expected


def test_sqlalchemy_asks_with_a_uuid(engine: sa.Engine, expected: list[object]) -> None:
    with engine.connect() as session:
        rows = session.execute(sa.text(NAMED.format(":seed")), {"seed": mbid(1)})
        assert [row for (row,) in rows] == expected
        named = sa.func.pgsim.mbid_of(str(mbid(1)))
        similar = sa.func.pgsim.similar_recordings(named, 3).table_valued("mbid")
        assert [row for (row,) in session.execute(sa.select(similar.c.mbid))] == expected


def test_text_alone_is_refused_by_postgresql_and_the_page_says_its_words(engine: sa.Engine) -> None:
    with engine.connect() as session, pytest.raises(ProgrammingError) as caught:
        session.execute(
            sa.select(sa.func.pgsim.similar_recordings(str(mbid(1)), 5).table_valued("mbid"))
        )
    assert "similar_recordings(character varying, integer) does not exist" in str(caught.value)


@pytest.mark.parametrize("cursor", [psycopg.Cursor, psycopg.RawCursor, psycopg.ClientCursor])
def test_a_literal_without_a_type_is_a_seed(
    conn: Connection, expected: list[object], cursor: type[psycopg.Cursor[tuple[object]]]
) -> None:
    """As psycopg sends text, bound by the server or by itself: the function's own type is taken."""
    place = "$1" if cursor is psycopg.RawCursor else "%s"
    for seed in (place, f"{place}::uuid", f"pgsim.mbid_of({place})"):
        rows = cursor(conn).execute(NAMED.format(seed).encode(), (str(mbid(1)),)).fetchall()
        assert [row for (row,) in rows] == expected
