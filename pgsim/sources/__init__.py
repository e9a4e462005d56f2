"""Where submissions come from: one module a format, and the one registry that picks it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pgsim.errors import UsageError
from pgsim.profile import Profile
from pgsim.sources import acousticbrainz
from pgsim.sources.files import KINDS, Member, require_readable
from pgsim.submission import Submission


class Source(Protocol):
    """One format of documents. A module can be one; its functions go to worker processes."""

    name: str

    def accepts(self, path: Path) -> bool:
        """Whether this source reads such a file or folder, by its name."""

    def members(self, path: Path) -> Iterator[Member]:
        """The documents under `path`, one after the other, as bytes: cheap, for one process."""

    def submission(self, member: Member, profile: Profile) -> Submission:
        """The submission in one document, for many processes; raises Rejected."""


SOURCES: tuple[Source, ...] = (acousticbrainz,)


def source_for(path: Path) -> Source:
    """The source that reads `path`; UsageError where it is missing or of no known kind."""
    require_readable(path)
    for source in SOURCES:
        if source.accepts(path):
            return source
    raise UsageError(f"cannot read {path}: it is no folder, and no file named {KINDS}")
