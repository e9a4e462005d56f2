"""The extractor that made a document: numbers of two extractors are not comparable."""

from typing import Any

from pgsim.errors import PgsimError, Rejected
from pgsim.features.profile import Profile, shipped_names

# MusicExtractor's own name for itself, as AcousticBrainz ran it and as Essentia ships it today.
_EXTRACTORS = {"music 1.0": "acousticbrainz", "music 2.0": "essentia"}


class OriginError(PgsimError):
    """A document made by a different extractor than the profile's; the message has the cure."""


def origin(document: dict[str, Any]) -> str | None:
    """Return the extractor that made a document, as profiles name it; None if it is not named.

    The key `extractor` counts first, then the version block. A high-level document has the version
    block of the low-level document that it was made from.
    """
    named = document.get("extractor")
    if named is None:
        version = _value(_value(document, "metadata"), "version")
        named = _value(_value(version, "lowlevel") or version, "extractor")
    return extractor_of(named)


def extractor_of(named: Any) -> str | None:
    """Return the extractor of that name, as profiles name it; None if it is not a text."""
    return _EXTRACTORS.get(named, named) if isinstance(named, str) else None


def require_origin(document: dict[str, Any], profile: Profile, where: str) -> None:
    """Raise OriginError if a document was made by a different extractor than the profile's."""
    require_extractor(origin(document), profile, where)


def require_one_of(
    extractors: list[str], made_by: str | None, profile: Profile, where: str
) -> None:
    """Raise OriginError if none of the extractors in a file is the profile's.

    Rejected if the profile's is one of them and made other documents than this one.
    """
    if profile.extractor not in extractors:
        require_extractor(made_by, profile, where)
    elif made_by not in (None, profile.extractor):
        raise Rejected(
            f"made by extractor {made_by!r:.60}; profile '{profile.name}' is for"
            f" '{profile.extractor}': their numbers are not comparable; this needs a database of"
            f" its own, made by: pgsim --database NAME init --profile {_profile_of(made_by)}"
        )


def require_extractor(made_by: str | None, profile: Profile, where: str) -> None:
    """Raise OriginError if an extractor is known and not the profile's."""
    if made_by not in (None, profile.extractor):
        raise OriginError(
            f"{where} was made by extractor {made_by!r:.60}, and profile '{profile.name}' is for"
            f" '{profile.extractor}': their numbers are not comparable; load it into a database"
            f" of its own, made by: pgsim --database NAME init --profile {_profile_of(made_by)}"
        )


def _profile_of(extractor: str | None) -> str:
    return extractor if extractor in shipped_names() else "FILE"


def _value(table: Any, key: str) -> Any:
    return table.get(key) if isinstance(table, dict) else None
