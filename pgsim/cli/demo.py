"""`pgsim demo`: the main job on real recordings, in a database of its own."""

from contextlib import closing
from importlib.resources import as_file, files

from pgsim import embedded, schema
from pgsim.cli.common import say
from pgsim.database import connect
from pgsim.loader import load
from pgsim.matrix import refresh
from pgsim.profile import read_profile

DATABASE = "demo"
RECORDINGS = "recordings.ndjson.gz"


def demo() -> None:
    """Load real recordings of free games' music into the database 'demo', and ask about them."""
    server = embedded.start()
    embedded.ensure_database(server, DATABASE)
    url = server.conninfo(DATABASE)
    with closing(connect(url, autocommit=True)) as conn:
        schema.install(conn, read_profile("essentia"))
        schema.add_to_search_path(conn)
        with as_file(files("pgsim.demo") / RECORDINGS) as path:
            report = load(conn, [path])
        say(
            f"{report.read} documents: {report.new} new, {report.unchanged} unchanged,"
            f" {report.rejected} rejected; {report.recordings} recordings"
        )
        say(f"{refresh(conn).lists} lists made")
        print(conn.execute("SELECT count(*) FROM pgsim.similarity").fetchone())
    say(f"psql '{url}' -c \"SELECT * FROM similar_recordings('…', 10)\"")
