"""The profile for another program's database: bliss's own, or one for mStream's model."""

from collections.abc import Iterator
from pathlib import Path

from pgsim.errors import PgsimError
from pgsim.features.profile import MOST_DIMENSIONS, SHIPPED
from pgsim.features.profile_text import toml
from pgsim.sources import bliss, mstream
from pgsim.sources.description.comments import REMARK, shown
from pgsim.sources.description.sets import set_name


def propose_bliss(path: Path) -> str:
    """Return the shipped profile for most of the tracks in a database of bliss."""
    counts = bliss.extractors_of(path)
    best = max(bliss.LENGTHS, key=lambda each: counts.get(each, 0))
    others = [
        f"{REMARK}{count} of {sum(counts.values())} tracks are of '{shown(each)}', and are rejected"
        f" beside those of '{best}'.\n"
        for each, count in counts.items()
        if each != best
    ]
    return "".join(others) + (SHIPPED / f"{best}.toml").read_text(encoding="utf-8")


def propose_snapshot(path: Path) -> str:
    """Return a profile for a snapshot of mStream, as TOML with comments.

    It is for the model that the snapshot names, else for that of most tracks. PgsimError if no
    track has an embedding that can be a vector.
    """
    found = [each for each in mstream.models_in(path) if each[1] and each[1] % 4 == 0]
    if not found:
        raise PgsimError(
            f"no track of {path} has an embedding: let mStream analyse the music, and export again"
        )
    length = found[0][1] // 4
    if length > MOST_DIMENSIONS:
        raise PgsimError(
            f"the embeddings of {path} have {length} dimensions; an indexed vector has at most"
            f" {MOST_DIMENSIONS}: reduce them first, by PCA for instance"
        )
    return "\n".join(_lines(path, found, length)) + "\n"


def _lines(path: Path, found: list[tuple[str | None, int, int]], length: int) -> Iterator[str]:
    total = sum(count for *_, count in found)
    (model, _, count), *others = found
    yield f"# Proposed from {count} of {total} embeddings in {shown(path.name)}."
    yield "# Check it, save it, then run:"
    yield "#   pgsim init --profile THIS_FILE.toml"
    yield f"#   pgsim load {shown(path.name)}"
    yield f"name = {toml(set_name(path.name.partition('.')[0], set()))}"
    yield f"extractor = {toml(model or 'unknown')}  # the model and its version"
    yield 'genre_scheme = "genre"'
    for other, size, rejected in others:
        yield (
            f"{REMARK}{rejected} embeddings are of {shown(other or 'unknown')} with {size // 4}"
            " dimensions, and are rejected."
        )
    yield ""
    yield "[[set]]"
    yield 'name = "embedding"'
    yield f"path = {toml(mstream.PATH)}"
    yield f"length = {length}"
    yield 'transform = "unit"'
    yield 'aggregate = "mean"'
    yield "weight = 1"
