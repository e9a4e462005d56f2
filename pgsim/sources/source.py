"""What a source is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pgsim.features.profile import Profile
from pgsim.sources.streams.files import Member
from pgsim.sources.submission import Submission


class Source(Protocol):
    """One format of documents. A module can be one; its functions go to worker processes."""

    name: str

    def accepts(self, path: Path) -> bool:
        """Whether this source reads such a file, by its name or its first line."""

    def members(self, path: Path) -> Iterator[Member]:
        """The documents of a file, one after the other, as bytes: cheap, for one process.

        Always in the same order while the file does not change. A source that has
        `members_in(room, path)` too can let them lie in the memory that goes to a worker process.
        """

    def submission(self, member: Member, profile: Profile) -> Submission:
        """The submission in one document, for many processes; raises Rejected."""
