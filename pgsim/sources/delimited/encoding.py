"""The encoding of a file of text, asked of its first bytes; and what is no such file."""

import codecs
import re
from collections.abc import Iterator

from pgsim.sources.streams.files import LONGEST, SourceError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Bytes that Windows-1252 leaves undefined; a file with one of them is ISO 8859-1.
_NOT_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_ESCAPED = re.compile("[\udc80-\udcff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")
_WORKBOOK = "an Excel workbook: open it, save it as CSV UTF-8, and read that"
# How files begin that are named .csv or .tsv, and are something else.
_NO_TABLES = (
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"\x1f\x8b", "compressed by gzip: add .gz to its name"),
    (b"BZh", "compressed by bzip2: add .bz2 to its name"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd: add .zst to its name"),
    (b"PAR1", "Parquet: name it .parquet"),
    (b"\x93NUMPY", "an array of NumPy's: name it .npy"),
    (b"SQLite format 3\0", "an SQLite database: export its table as CSV"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the table: run git lfs pull"),
)
_PAGE = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)


def encoding_of(data: bytes) -> str:
    """Return the encoding of a file that begins with `data`, by its name in Python.

    SourceError if the file is no text, with what it is where its first bytes tell.
    """
    _require_text(data)
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    if b"\0" in data:
        return _with_nuls(data)
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(data)
    wrong = len(_ESCAPED.findall(text))
    if len(_BEYOND_ASCII.findall(text)) >= wrong:
        return "utf-8"
    return "latin-1" if _NOT_1252.search(data) else "cp1252"


def decoded(blocks: Iterator[bytes], encoding: str) -> Iterator[str]:
    """Yield the text of a stream of bytes; what is not of the encoding becomes lone surrogates.

    SourceError if the text breaks off within a character of UTF-16 or UTF-32.
    """
    is_wide = encoding.startswith(("utf-16", "utf-32"))
    errors = "surrogatepass" if is_wide else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    try:
        for block in blocks:
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"not {encoding.upper()} throughout ({error.reason}): the file is cut off or damaged;"
            " save it as UTF-8"
        ) from None


def lines_of(texts: Iterator[str], newline: str) -> Iterator[list[str]]:
    """Yield the lines of each part of a text, without their ends; SourceError if one is endless."""
    rest = ""
    for text in texts:
        *lines, rest = (rest + text).split(newline)
        if len(rest) > LONGEST:
            raise SourceError(f"a line longer than {LONGEST >> 20} MiB: this is no table")
        yield lines
    if rest:
        yield [rest]


def newline_of(text: str) -> str:
    """Return what ends the lines: a line feed, or where there is none, a carriage return."""
    return "\r" if "\r" in text and "\n" not in text else "\n"


def _require_text(data: bytes) -> None:
    for start, what in _NO_TABLES:
        if data.startswith(start):
            raise SourceError(f"no table of text, but {what}")
    if data.startswith(b"PK\x03\x04"):
        is_workbook = b"xl/" in data or b"[Content_Types]" in data or b"opendocument" in data
        what = _WORKBOOK if is_workbook else "a ZIP archive: unpack it"
        raise SourceError(f"no table of text, but {what}")
    if _PAGE.match(data):
        raise SourceError("no table of text, but a web page: download the file itself")


def _with_nuls(data: bytes) -> str:
    """Return which UTF-16 text with NULs is; SourceError if it is none."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if odd > 20 * even and odd > len(data) / 8:
        return "utf-16-le"
    if even > 20 * odd and even > len(data) / 8:
        return "utf-16-be"
    if data.count(0) <= len(data) / 1000:
        return "utf-8"
    raise SourceError("no table of text, but binary data: it is full of zero bytes")
