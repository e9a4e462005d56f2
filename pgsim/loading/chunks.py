"""Documents out of files in chunks, each behind what an earlier load has committed of its file."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pgsim.features.profile import Profile
from pgsim.sources.streams.buffer import Room, Run
from pgsim.sources.streams.files import Member, storable
from pgsim.sources.streams.walk import Input
from pgsim.sources.submission import Submission
from pgsim.sources.text import is_utf8

DOCUMENTS = 500  # in a chunk, at most
BYTES = 4 * 2**20  # in a chunk, unless one document has more
PLACE = BYTES + 2**18  # bytes in which nearly every chunk finds room
# Within so many seconds a file can be written to twice and keep its time: such a one is not known
# again.
SETTLED = 2.0


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file has been loaded: a row of `archive`."""

    size: int
    modified: int
    documents: int = 0
    rejected: int = 0
    is_finished: bool = False


@dataclass(slots=True)
class Span:
    """Documents that follow one another in one file.

    `known` is what an earlier load has committed of the file, in its first span. `mark` says which
    state of the file it is, None where that cannot be told; `is_last`, that the file ends here.
    """

    root: Path
    path: Path
    name: str
    mark: Mark | None
    known: Mark | None = None
    is_first: bool = False
    is_last: bool = False
    documents: int = 0


Read = Callable[[Member, Profile], Submission]


@dataclass(slots=True)
class Documents:
    """Members of files, in a form that goes to another process many times as fast.

    `read` is the function of their source; `data` is what they lie in, `bounds` is where each
    of them begins and ends; `faults` are of those without data, by number.
    """

    read: Read | None
    names: list[str]
    data: memoryview | bytes
    bounds: list[int]
    faults: dict[int, str]

    def members(self) -> Iterator[Member]:
        """They, one by one."""
        is_known = is_utf8(self.data)
        each = iter(self.bounds)
        for number, (start, end) in enumerate(zip(each, each, strict=True)):
            fault = self.faults.get(number, "")
            yield Member(self.names[number], self.data[start:end], fault, is_utf8=is_known)


@dataclass(slots=True)
class Chunk:
    """Documents for one worker process, and the spans of files that they are.

    `names` are theirs; `done` is how many bytes of all files have been read with it.
    """

    documents: Documents
    names: list[str]
    spans: list[Span]
    done: int


def chunks(
    files: Iterable[Input], known: Mapping[str, Mark], most: int, memories: Iterator[memoryview]
) -> Iterator[Chunk]:
    """The documents of files in chunks of at most `most`; `known` are marks by path.

    Of a file that has not changed since, the documents that its mark counts are left out. Each
    chunk lies in the next of the memories, all of PLACE bytes, if it has room there.
    """
    before = 0
    read: Read | None = None
    room = Room(memory := next(memories), most)
    bounds: list[int] = []  # no pairs: of these the garbage collector would keep account
    names: list[str] = []
    faults: dict[int, str] = {}
    spans: list[Span] = []

    def cut(done: int) -> Chunk:
        nonlocal memory, bounds, names, faults, spans
        data = room.memory[: room.kept]
        documents = Documents(
            read, names, data if room.memory is memory else bytes(data), bounds, faults
        )
        chunk = Chunk(documents, names, spans, done)
        # What was read ahead goes on before rows are written over it.
        room.leave(memory := next(memories))
        bounds, names, faults, spans = [], [], {}, []
        return chunk

    for each in files:
        own_read = each.source.submission if each.source else read
        if read not in (None, own_read) and names:
            yield cut(before)
        read = own_read
        mark = _mark(each.path)
        past = _past(each.path, mark, known)
        own = mark.size if mark and not (past and past.is_finished) else 0
        if mark is not None and time.time() - mark.modified / 1e9 < SETTLED:
            mark = None
        name = storable(each.path.name)
        span = Span(each.root, each.path, each.folder + name, mark, past, is_first=True)
        spans.append(span)
        for found in _members(each, past, room):
            if isinstance(found, Run):
                names += [each.folder + inner for inner in found.names]
                bounds += found.bounds
                room.keep(found.bounds[-1])
            else:
                if found.fault and found.name == name:
                    # The file is broken here. It may be mended: its mark does not count this.
                    span = Span(each.root, each.path, each.folder + name, None)
                    spans.append(span)
                if found.fault:
                    faults[len(names)] = found.fault
                names.append(each.folder + found.name)
                bounds += room.put(found.data)
            span.documents += found.count
            if len(names) >= most or room.at >= BYTES:
                yield cut(before + found.at)
                spans.append(span := Span(each.root, each.path, each.folder + name, span.mark))
            room.left = most - len(names)
        room.close()
        span.is_last = True
        before += own
    if spans:
        yield cut(before)


def bytes_to_read(files: Iterable[Input], known: Mapping[str, Mark]) -> int:
    """The size of all files together, without those that an earlier load has finished."""
    total = 0
    for each in files:
        mark = _mark(each.path)
        past = _past(each.path, mark, known)
        if mark is not None and not (past and past.is_finished):
            total += mark.size
    return total


def _members(each: Input, past: Mark | None, room: Room) -> Iterator[Member | Run]:
    if each.source is None:
        yield Member(storable(each.path.name), b"", each.fault)
    elif past is None or not past.is_finished:
        members_in = getattr(each.source, "members_in", None)
        known = past.documents if past else 0
        for found in members_in(room, each.path) if members_in else each.source.members(each.path):
            if isinstance(found, Run) and 0 < known < found.count:
                yield found.behind(known)
            elif not known:
                yield found
            known = max(known - found.count, 0)


def _past(path: Path, now: Mark | None, known: Mapping[str, Mark]) -> Mark | None:
    """What is known of a file, unless it has changed since."""
    past = known.get(str(path.absolute()))
    is_same = past and now and (past.size, past.modified) == (now.size, now.modified)
    return past if is_same else None


def _mark(path: Path) -> Mark | None:
    try:
        status = path.stat()
    except OSError:
        return None  # reading it will say why not
    return Mark(status.st_size, status.st_mtime_ns)
