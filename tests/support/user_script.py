"""A user's script: every method of the front door, checked by mypy --strict, never run."""

from pathlib import Path
from uuid import UUID

import pgsim


def say(text: str, /) -> None:
    print(text)


def ask(db: pgsim.Database, seed: UUID) -> float:
    best: float = 0
    for hit in db.similar(seed, 10, genre="rock", year_from=2000, exclude=[seed, str(seed)]):
        rank: int = hit.rank
        artist: str | None = hit.artist
        best = max(best, hit.similarity)
        print(rank, artist, hit.title, hit.album, hit.year, hit.genre, hit.distance, hit.mbid)
    both: pgsim.Answer[pgsim.SimilarRecording] = db.similar_to_all([seed, "x"], method="rank")
    first: pgsim.SimilarRecording = both[0]
    some: pgsim.Answer[pgsim.SimilarRecording] = both[:2]
    columns: tuple[str, ...] = some.columns
    print(first, columns, len(some))
    for row in db.batch([seed], 3, same_decade=True, weights={"bpm": 0, "moods": 2.5}):
        if row.problem is None and row.similarity is not None:
            best = max(best, row.similarity)
    db.dissimilar(str(seed), metric="bpm+key")
    found: list[UUID] = [each.mbid for each in db.find("obsidian ezer", artist="shell")]
    shares: dict[str, float] = {each.feature_set: each.share for each in db.explain(seed, found[0])}
    nearest: float | None = db.distances(seed, found[0])[0].distance
    mean: float | None = db.statistics(seed, same_genre=True).mean
    file: pgsim.FileSeed = db.seed_of_file(Path("song.json"))
    db.nearest(file.vector, ranking="distance", max_per_artist=1)
    db.nearest([0.5, 1.5], min_similarity=0.5)
    print(shares, nearest, mean, file.missing)
    return best


def work(db: pgsim.Database) -> None:
    is_new: bool = db.install("essentia")
    loaded: pgsim.LoadReport = db.load("a.ndjson", Path("b"), workers=2, again=True, say=say)
    redirects: pgsim.RedirectReport = db.load_redirects("redirects.csv")
    names: pgsim.NamesReport = db.load_names("names.csv")
    fused: pgsim.FuseReport = db.refit()
    refreshed: pgsim.RefreshReport = db.refresh(say=say)
    rebuilt: pgsim.RebuildReport = db.rebuild(engine="exact", recall=1, threads=2, k=50)
    built: bool = db.index("mfccs")
    evaluation: pgsim.Evaluation = db.evaluate(sample=100)
    exported: pgsim.ExportReport = db.export("matrix.csv", format="csv", force=True)
    imported: pgsim.ImportReport = db.import_matrix("matrix.csv")
    print(
        is_new,
        loaded.new,
        redirects.new,
        names.titles,
        fused.changed,
        refreshed.lists,
        rebuilt.recall,
        built,
    )
    print(evaluation.recall[0].recall, exported.bytes, imported.stored)


def look(db: pgsim.Database) -> None:
    mbids, vectors = db.vectors()
    shape: tuple[int, ...] = vectors.shape
    row: list[float] = vectors[0].tolist()
    mbids, neighbours, distances = db.lists(10)
    print(shape, row, mbids[neighbours[0, 0]], float(distances[0, 0]))
    facts: dict[str, int | None] = {each.item: each.number for each in db.status()}
    fitted: list[str] = [each.name for each in db.feature_sets() if each.fitted]
    print(facts, fitted, pgsim.__version__)
    [count] = db.connection.execute("SELECT count(*) FROM pgsim.recording").fetchone() or (0,)
    print(count)


def main() -> None:
    try:
        with pgsim.connect("demo") as db:
            ask(db, UUID(int=1))
            work(db)
            look(db)
    except pgsim.UsageError as error:
        print(error, error.exit_code)
    except pgsim.PgsimError as error:
        print(error)
    db = pgsim.connect(pool=4, create=True)
    with db.pool.connection() as conn:
        conn.execute("SELECT 1")
    db.close()
