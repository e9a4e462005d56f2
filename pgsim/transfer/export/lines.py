"""The matrix as text, a list at a time."""

from collections.abc import Iterator

from pgsim.transfer.export.matrix import Matrix


def csv(matrix: Matrix) -> Iterator[bytes]:
    """Yield a row a pair, as `\\copy` of pgsim.similarity_matrix with CSV HEADER does."""
    yield b"mbid,rank,similar_mbid,distance\n"
    for each in matrix.texts_of_lists():
        rows = zip(each.ranks, each.similar, each.distances, strict=True)
        yield "".join(
            f"{each.mbid},{rank},{similar},{distance}\n" for rank, similar, distance in rows
        ).encode()


def mirex(matrix: Matrix) -> Iterator[bytes]:
    """MIREX's sparse distance matrix: a line a list, `query<TAB>name,distance<TAB>…`."""
    for each in matrix.texts_of_lists():
        pairs = zip(each.similar, each.distances, strict=True)
        yield "\t".join([each.mbid, *(f"{name},{distance}" for name, distance in pairs)]).encode()
        yield b"\n"


def resp(matrix: Matrix) -> Iterator[bytes]:
    """Redis's protocol, for `redis-cli --pipe`: a sorted set `pgsim:similar:<mbid>` a list.

    Its scores are the distances; each set replaces the one before at once.
    """
    for each in matrix.texts_of_lists():
        key = f"pgsim:similar:{each.mbid}"
        pairs = zip(each.distances, each.similar, strict=True)
        yield _command("MULTI") + _command("DEL", key)
        if each.similar:
            yield _command("ZADD", key, *(word for pair in pairs for word in pair))
        yield _command("EXEC")


def _command(*words: str) -> bytes:
    """One command; its words are ASCII."""
    return "".join(
        [f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]
    ).encode()
