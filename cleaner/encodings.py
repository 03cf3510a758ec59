"""Text files in any encoding to UTF-8, and back for what is kept."""

import codecs

from cleaner.errors import DataError

#: Byte order marks; that of UTF-32 first, as it begins with that of UTF-16.
MARKS = {
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-8": codecs.BOM_UTF8,
}

ASCII = bytes(range(128))
#: So many of the first bytes tell what a document is.
BEGIN = 1 << 16


def check(encoding: str) -> None:
    """Raise :class:`DataError` if there is no such encoding of text."""
    if encoding not in ("", "detect"):
        try:
            " ".encode(encoding, "surrogatepass")
            b" ".decode(encoding)
        except UnicodeDecodeError:
            return  # of another width
        except (LookupError, ValueError):
            raise DataError(f"--encoding {encoding}: unknown. Use a name such as cp1252, or detect.") from None


def extends_ascii(name: str) -> bool:
    """Tell whether what is ASCII is the same in an encoding, so that lines can be cut before they are decoded.

    It is not in ISO 2022, where an escape makes other characters of the bytes behind it.
    """
    try:
        return ASCII.decode(name) == ASCII.decode() and not codecs.lookup(name).name.startswith("iso2022")
    except UnicodeError:
        return False


def marked(data: bytes) -> str:
    """Return the encoding that a byte order mark tells, or an empty string."""
    return next((name for name, mark in MARKS.items() if data.startswith(mark)), "")


def detected(data: bytes) -> str:
    """Return the likeliest encoding of bytes that are not UTF-8, by charset-normalizer."""
    from charset_normalizer import from_bytes

    found = from_bytes(data[:1_000_000]).best()
    if found is None:
        raise DataError("no encoding fits its bytes. Is it text?")
    return str(found.encoding)


def is_utf8(data: bytes) -> bool:
    """Tell whether bytes are UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def encoding_of(data: bytes, encoding: str, sure: bool) -> str:
    """Return the encoding of a document: by its mark, UTF-8 if it is that, else the one given, or the likeliest."""
    if name := marked(data):
        return name
    if (encoding == "detect" or (encoding and not sure and extends_ascii(encoding))) and is_utf8(data):
        return "utf-8"
    return detected(data) if encoding == "detect" else encoding or "utf-8"


def to_utf8(data: bytes, encoding: str = "", sure: bool = False) -> tuple[bytes, str]:
    """Return a document in UTF-8, a byte order mark kept, and the encoding that it came in.

    UTF-8, UTF-16 and UTF-32 are known by their mark, UTF-8 without one is the default; ``encoding`` is that of
    all other documents, or ``detect``. ``sure``: this one has it, even if it could be UTF-8 as well.

    Raises:
        DataError: the bytes are not of that encoding; names the line.
    """
    name = encoding_of(data, encoding, sure)
    if codecs.lookup(name).name in ("utf-8", "utf-8-sig"):  # a mark is kept, and none is added
        name = "utf-8"
    else:
        name = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(codecs.lookup(name).name, name)
    try:
        text = data.decode(name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        remedy = "Name its encoding with --encoding, or let it be found: --encoding detect."
        if marked(data):
            remedy = "Its byte order mark says that it is, so it is damaged: fetch it again."
        raise DataError(f"{line}: not {name.upper()} at byte {error.start + 1}. {remedy}") from None
    if name == "utf-8":
        return data, "utf-8"
    return text.encode("utf-8", "surrogatepass"), name


def refuse_nuls(text: bytes) -> None:
    """Raise :class:`DataError` if a document in UTF-8 begins as none of text does; a NUL here and there is harmless."""
    begin = text[:BEGIN]
    nuls = begin.count(0)
    if nuls > 1 and 20 * nuls > len(begin):
        raise DataError(
            f"is no text: {nuls} of its first {len(begin)} bytes are NUL. If it is UTF-16 without a byte order mark, "
            "give --encoding utf-16-le or utf-16-be; else leave it out."
        )


def check_back(data: bytes, text: bytes, name: str) -> None:
    """Check that a document in UTF-8 is written in the encoding that it came in as it came.

    Raises:
        DataError: it is not, as two sequences of bytes are one character there; names the line.
    """
    if name == "utf-8":
        return
    try:
        again = text.decode("utf-8", "surrogatepass").encode(name, "surrogatepass")
    except UnicodeError:
        again = b""
    if again != data:
        at = next((at for at, (one, two) in enumerate(zip(data, again, strict=False)) if one != two), len(again))
        line = data.count(b"\n", 0, at) + 1
        raise DataError(
            f"{line}: not the same bytes again in {name.upper()} from byte {at + 1} on. "
            "Convert it to UTF-8 first (iconv), or give another --encoding."
        )
