"""The forms of a Subsonic answer: JSON, or XML with the same members."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import orjson
from starlette.responses import Response

from pgsim.version import __version__

PROTOCOL = "1.16.1"
_NAMESPACE = "http://subsonic.org/restapi"
# What no XML document can hold.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Members = Mapping[str, Any]


def subsonic_response(members: Members, form: str, *, status: str = "ok") -> Response:
    """Return an answer with its members, as JSON where the form is `json`, else as XML."""
    answer = {
        "status": status,
        "version": PROTOCOL,
        "type": "pgsim",
        "serverVersion": __version__,
        "openSubsonic": True,
        **members,
    }
    if form == "json":
        return Response(orjson.dumps({"subsonic-response": answer}), media_type="application/json")
    root = ElementTree.Element("subsonic-response", {"xmlns": _NAMESPACE})
    _fill(root, answer)
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, media_type="application/xml")


def _fill(element: ElementTree.Element, members: Members) -> None:
    """Write members as attributes; objects, and each of a list, as elements below."""
    for name, value in members.items():
        if isinstance(value, Mapping):
            _fill(ElementTree.SubElement(element, name), value)
        elif isinstance(value, list):
            for each in value:
                below = ElementTree.SubElement(element, name)
                if isinstance(each, Mapping):
                    _fill(below, each)
                else:
                    below.text = _text(each)
        else:
            element.set(name, _text(value))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NOT_IN_XML.sub("\ufffd", str(value))
