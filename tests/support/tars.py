"""Small tar archives, written by the standard library."""

import io
import tarfile


def written(form: int, members: list[tuple[str, bytes]], *, with_others: bool = True) -> bytes:
    """An archive of members (name, content), and of entries that are no files `with_others`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for place, (name, data) in enumerate(members):
            header = tarfile.TarInfo(name)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
            if not with_others:
                continue
            other = tarfile.TarInfo(f"other {place}")
            other.type = (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE)[place % 3]
            other.linkname = name[:90] if place % 3 == 1 else ""
            archive.addfile(other)
    return buffer.getvalue()
