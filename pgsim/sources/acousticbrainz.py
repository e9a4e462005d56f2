"""AcousticBrainz documents, low level and high level, its feature CSVs, and similar documents."""

import json
import re
import zlib
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import msgspec
import numpy as np
import orjson

from pgsim.errors import Rejected
from pgsim.features.forms import shown
from pgsim.features.profile import Profile
from pgsim.features.reading import extract
from pgsim.sources import acousticbrainz_csv as feature_csv
from pgsim.sources.acousticbrainz_fast import LOW_LEVEL, Content, read_wanted
from pgsim.sources.measured_audio import audio_id, file_name
from pgsim.sources.metadata import extract_metadata
from pgsim.sources.provenance import require_origin
from pgsim.sources.streams import files
from pgsim.sources.streams.files import Member, members, members_in
from pgsim.sources.submission import LARGEST_NUMBER, Submission, own_mbid

__all__ = ["accepts", "members", "members_in", "name", "submission"]

name = "acousticbrainz"

_HEX = "[0-9a-fA-F]"
_UUID = rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_MBID = re.compile(_UUID)
# <mbid>-<n>.json, n being the submission's offset; other documents may lack it.
_NAME = re.compile(rf"({_UUID})(?:-([0-9]{{1,10}}))?(?i:\.json(?:\.gz|\.bz2|\.xz|\.zst)?)$")


def accepts(path: Path) -> bool:
    """Return whether a file holds JSON documents, judging by its name, or is a feature CSV."""
    if not files.is_known(path):
        return False
    return not files.is_csv(path) or feature_csv.is_header(files.first_line(path))


def submission(member: Member, profile: Profile, *, fast: bool = True) -> Submission:
    """Return the submission in one document; Rejected says why there is none.

    MBID and number come from the member's name `<mbid>-<n>.json`, or else from the keys `mbid` and
    `number` beside the document's own, or else from its tags and from the audio that it measures.
    OriginError if a different extractor than the profile's made the document: that ends a load.
    With `fast` False every document is parsed whole, which has the same result in twice the time;
    tests compare the two.
    """
    try:
        named = _named(member.name)
        if feature_csv.is_row(member.name) and not member.fault:
            kind, document = feature_csv.read_row(member.data, member.name, profile)
            return _submission(_read_whole(document, kind, profile))
        content = None
        if fast and not member.fault:
            content = read_wanted(member.view, profile, member.is_utf8)
        is_known = named is not None or (content and None not in (content.mbid, content.number))
        if content is None or not is_known:  # also an unusual document, or one with a fault
            document = parse(member)
            require_origin(document, profile, member.name)
            content = _read_whole(document, _kind(document), profile)
            if named is None:
                _identify(member.name, content, document)
        if named is not None:
            content.mbid, content.number = named
        return _submission(content)
    except RecursionError:
        raise Rejected("nested too deep") from None


def _read_whole(document: dict[str, Any], kind: str, profile: Profile) -> Content:
    """Return the content of a document; Rejected if it has no features or a wrong value."""
    features = extract(document, profile)
    if np.isnan(features).all():
        raise Rejected(
            f"no feature set of profile '{profile.name}' in it; its keys: {_keys(document)}"
        )
    metadata, repairs = extract_metadata(document)
    # A document that `pgsim extract` wrote names its extractor.
    source = "audio" if "extractor" in document else name
    mbid = document.get("mbid")
    if mbid is None:
        mbid = metadata.get("recording_mbid")
    return Content(source, kind, features, metadata, repairs, mbid, document.get("number"))


def _identify(where: str, found: Content, document: dict[str, Any]) -> None:
    """Give a document the MBID and the number that it lacks, both made of the audio."""
    if found.mbid is not None and found.number is not None:
        return
    audio = audio_id(document)
    if found.mbid is None:
        if _MBID.search(where, _base(where)):
            raise Rejected(
                "no MBID: one is in the name, which is not <mbid>-<n>.json, and there is neither"
                " a key 'mbid' nor a tag 'musicbrainz_recordingid' that is one"
            )
        found.mbid = str(own_mbid(found.source, audio))
        file = file_name(document)
        names = {"source_id": file or audio, "title": Path(file).stem}
        found.metadata = {key: text for key, text in names.items() if text} | found.metadata
    if found.number is None:
        found.number = zlib.crc32(audio.encode()) >> 1


def _submission(found: Content) -> Submission:
    mbid, number = _checked(found.mbid, found.number)
    return Submission(
        mbid, found.source, number, found.kind, found.features, found.metadata, found.repairs
    )


def parse(member: Member) -> dict[str, Any]:
    """Return the document as it stands; Rejected if it is not a JSON object."""
    if member.fault:
        raise Rejected(member.fault)
    try:
        document = orjson.loads(member.data)
    except orjson.JSONDecodeError:
        document = _parse_leniently(member.data)
    if not isinstance(document, dict):
        raise Rejected(f"not a JSON object: {shown(document)}")
    return document


def _parse_leniently(data: bytes) -> Any:
    """Parse what orjson refuses: a lone surrogate is repaired later; other faults are rejected."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise Rejected(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except ValueError as error:
        raise Rejected(f"not JSON: {error}" if data.strip() else "empty") from None


def _refuse(constant: str) -> NoReturn:
    raise Rejected(f"not JSON: {constant} is not a number in JSON")


def _keys(document: dict[str, Any]) -> str:
    keys = ", ".join(repr(key) for key in list(document)[:5])
    return keys[:100] or "none"


def _kind(document: dict[str, Any]) -> str:
    is_high = bool(document.get("highlevel"))
    is_low = any(document.get(key) for key in LOW_LEVEL)
    return "document" if is_high == is_low else "highlevel" if is_high else "lowlevel"


def _named(where: str) -> tuple[str, int] | None:
    """Return the MBID and the number in the name of a document, if it has them."""
    found = _NAME.match(where, _base(where))
    if found is None:
        return None
    mbid, number = found.groups("0")
    return mbid, int(number)


def _base(where: str) -> int:
    return max(where.rfind("/"), where.rfind(":")) + 1


def _checked(mbid: Any, number: Any) -> tuple[UUID, int]:
    if not isinstance(mbid, str) or not _MBID.fullmatch(mbid):
        raise Rejected(f"mbid {mbid!r:.60} is not a UUID")
    if type(number) is not int or not 0 <= number <= LARGEST_NUMBER:
        raise Rejected(f"number {number!r:.60} is not an integer from 0 to {LARGEST_NUMBER}")
    return msgspec.convert(mbid, UUID), number
