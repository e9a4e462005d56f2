"""A source of one's own: lines of an id, a title and 13 MFCCs."""

from collections.abc import Iterator
from pathlib import Path

from pgsim.features.profile import Profile
from pgsim.sources import Member, Rejected, Submission, extract, own_mbid


class Lines:
    name = "lines"

    def accepts(self, path: Path) -> bool:
        return path.suffix == ".lines"

    def members(self, path: Path) -> Iterator[Member]:
        for number, line in enumerate(path.read_bytes().splitlines()):
            yield Member(f"{path.name}:{number}", line)

    def submission(self, member: Member, profile: Profile) -> Submission:
        source_id, title, *mfccs = member.data.decode().split()
        if not mfccs:
            raise Rejected("no MFCCs")
        document = {"lowlevel": {"mfcc": {"mean": [float(each) for each in mfccs]}}}
        features = extract(document, profile)
        mbid = own_mbid(self.name, source_id)
        return Submission(mbid, self.name, 0, "line", features, {"title": title})
