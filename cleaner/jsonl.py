r"""JSON Lines: blocks of whole lines, and a text put back into its record.

Only the bytes of the text's value are replaced. All other fields stay byte for byte: large integers,
decimals such as ``1.10``, escapes, order, duplicate keys, spaces.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson

from cleaner.errors import DataError
from cleaner.opening import chunks, skim
from cleaner.records import BLOCK_BYTES, Block, Document, Failure, Input

__all__ = ["TEXT_FIELDS", "decode", "line_pieces", "read_blocks", "replaced", "row", "to_text"]

#: Where the text is looked for, in this order.
TEXT_FIELDS = ("text", "content", "body", "article", "document", "raw_content", "raw_text", "article_text")
ID_FIELDS = ("id", "_id", "doc_id", "document_id", "uuid", "url")
BOM = b"\xef\xbb\xbf"
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.S)
#: Other values are read only to be sure that the line is JSON: no number is too large for that.
LENIENT = json.JSONDecoder(parse_int=float)


def line_pieces(pieces: Iterator[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream behind line feeds into parts of at most ``size`` bytes, longer only where a line is.

    Yields each part and whether it is the last; where the cuts are depends on the content alone.
    """
    buffer, searched = bytearray(), 0
    for piece in pieces:
        buffer += piece
        while len(buffer) > size:
            cut = buffer.rfind(b"\n", 0, size)
            if cut < 0:
                cut = buffer.find(b"\n", max(size, searched))
                searched = len(buffer)
            if cut < 0 or cut + 1 == len(buffer):
                break
            yield bytes(buffer[: cut + 1]), False
            del buffer[: cut + 1]
            searched = 0
    yield bytes(buffer), True


def transcoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Turn UTF-16 with a byte order mark, or another encoding, into UTF-8."""
    import codecs

    decoder: Any = None
    first = b""
    for piece in pieces:
        if decoder is None:
            first += piece
            if len(first) < 2:
                continue
            marked = first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            name = "utf-16" if marked else encoding if encoding not in ("", "detect") else ""
            decoder = codecs.getincrementaldecoder(name)() if name else False
            piece, first = first, b""  # noqa: PLW2901 - held back until now
        try:
            yield decoder.decode(piece).encode("utf-8", "surrogatepass") if decoder else piece
        except UnicodeError as error:
            raise DataError(f"not {name} ({error}). Give the right --encoding.") from None
    yield first


def read_blocks(number: int, source: Input, at: tuple[int, int], encoding: str = "") -> Iterator[Block]:
    """Yield the blocks of a JSONL file from an offset on; ``at`` is that offset and the record's number there."""
    begin, record = at
    fault: list[DataError] = []

    def whole() -> Iterator[bytes]:
        try:
            yield from transcoded(chunks(source.path), encoding)
        except DataError as error:
            fault.append(error)

    plain = encoding in ("", "detect") and not utf16(source.path)
    pieces = guarded(source.path, begin, fault) if plain else skim(whole(), begin)
    for data, last in line_pieces(pieces, BLOCK_BYTES):
        tail = b""
        if last and fault and not data.endswith(b"\n"):
            cut = data.rfind(b"\n") + 1
            data, tail = data[:cut], data[cut:]  # noqa: PLW2901 - the cut record is none
        count = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        begin += len(data) + len(tail)
        lost: tuple[Failure, ...] = ()
        if last and fault:
            lost = (Failure(source.name, record + count, "cut", plainly(fault[0], source), tail or None, True),)
        yield Block((number,), (source,), data, begin, record, count, last=last, failures=lost)
        record += count


def utf16(path: str) -> bool:
    """Tell whether a file begins with a byte order mark of UTF-16."""
    if path == "-":
        return False
    try:
        return next(chunks(path), b"")[:2] in (b"\xff\xfe", b"\xfe\xff")
    except DataError:
        return False


def plainly(error: DataError, source: Input) -> str:
    """Return an error's message without the path that will stand before it."""
    return str(error).removeprefix(f"{source.path}: ")


def guarded(path: str, begin: int, fault: list[DataError]) -> Iterator[bytes]:
    """Yield the content of a file; a fault ends it and is kept."""
    try:
        yield from chunks(path, begin)
    except DataError as error:
        fault.append(error)


def parse(line: bytes) -> dict[str, Any]:
    """Return a record; raise ValueError if the line is none."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            found = LENIENT.decode(line.decode("utf-8", "surrogatepass").strip())
        except RecursionError:
            raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"a {type(found).__name__}, not an object")
    return found


def text_field(record: Mapping[str, Any], wanted: str) -> str:
    """Return the name of the field with the text.

    Raises:
        DataError: it is not there or not a string; the message lists the fields that are.
    """
    names = (wanted,) if wanted else TEXT_FIELDS
    for name in names:
        if isinstance(record.get(name), str):
            return name
    there = ", ".join(map(str, list(record)[:20])) or "none"
    for name in names:
        if name in record:
            kind = type(record[name]).__name__
            raise DataError(f"field {name!r} is {kind}, not a string. Its fields: {there}. Choose with --text-field.")
    missing = f"no field {wanted!r}" if wanted else "no field that is known to hold text"
    raise DataError(f"{missing}. Its fields: {there}. Choose one with --text-field.")


@lru_cache(maxsize=100)
def key_of(name: str) -> re.Pattern[bytes]:
    """Return what finds a field with a string in a record."""
    key = re.escape(json.dumps(name, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return re.compile(key + rb'[ \t\r\n]*:[ \t\r\n]*(?=")')


def span(line: bytes, name: str, record: Mapping[str, Any]) -> tuple[int, int]:
    """Return where in a line the value of a field of the record itself begins and ends.

    A candidate is right if a number in its place turns up as the value of that field.
    """
    for found in key_of(name).finditer(line):
        begin, end = found.end(), end_of(line, found.end(), record[name])
        if parse(line[:begin] + b"0" + line[end:]).get(name) == 0:
            return begin, end
    return slow_span(line, name)


def end_of(line: bytes, begin: int, text: str) -> int:
    """Return where a JSON string ends: at once if it is the text as usually written."""
    for usual in (orjson.dumps, json.dumps):
        try:
            written = usual(text)
        except TypeError:
            continue
        written = written if isinstance(written, bytes) else written.encode()
        if line.startswith(written, begin):
            return begin + len(written)
    value = STRING.match(line, begin)
    return value.end() if value else begin


def slow_span(line: bytes, name: str) -> tuple[int, int]:
    """Find a value whose key is written with escapes: try every string that follows a colon."""
    for found in re.finditer(rb':[ \t\r\n]*(?=")', line):
        value = STRING.match(line, found.end())
        if value:
            try:
                if parse(line[: value.start()] + b"0" + line[value.end() :]).get(name) == 0:
                    return value.span()
            except ValueError:
                continue
    raise DataError(f"field {name!r} cannot be found again in the record. Report this line.")


def decode(data: bytes, block: Block, options: tuple[str, str]) -> tuple[list[Document], list[Failure], list[bytes]]:
    """Read the records of a block; ``options`` are text field and id field, empty: found by themselves.

    Returns the documents, the failures, and all lines as they came (documents name theirs by place).
    """
    rows = data.split(b"\n")
    rows = [one + b"\n" for one in rows[:-1]] + ([rows[-1]] if rows[-1] else [])
    documents, failures = [], []
    for index, line in enumerate(rows):
        if not line.strip():
            continue
        mark = len(BOM) if block.first + index == 1 and line.startswith(BOM) else 0
        try:
            record = parse(line[mark:])
            name = text_field(record, options[0])
            begin, end = span(line[mark:], name, record)
            text = record[name].encode("utf-8", "surrogatepass")
            place = (index, mark + begin, mark + end)
            documents.append(Document(block.first + index, identity(record, options[1]), text, place, record))
        except UnicodeDecodeError as error:
            failures.append(failure(block, index, "undecodable", f"not UTF-8 ({error.reason}). Give --encoding.", line))
        except DataError as error:
            failures.append(failure(block, index, "field", str(error), line))
        except ValueError as error:
            failures.append(failure(block, index, "malformed", f"not a JSON object ({error}). Mend the line.", line))
    return documents, failures, rows


def failure(block: Block, index: int, reason: str, message: str, raw: bytes) -> Failure:
    """Name a line that could not be read."""
    return Failure(block.sources[0].name, block.first + index, reason, message, raw, True)


def identity(record: Mapping[str, Any], wanted: str) -> str:
    """Return what the record calls itself, or an empty string."""
    for name in (wanted,) if wanted else ID_FIELDS:
        if isinstance(record.get(name), str | int):
            return str(record[name])
    return ""


def to_text(text: bytes, raw: bytes) -> bytes:
    """Return a text as a JSON string, with escapes for all but ASCII if the value before had them."""
    decoded = text.decode("utf-8", "surrogatepass")
    if not (raw.isascii() and b"\\u" in raw):
        try:
            return orjson.dumps(decoded)
        except TypeError:  # lone surrogates, which only escapes can write
            pass
    return json.dumps(decoded).encode()


def replaced(line: bytes, place: tuple[int, int, int], text: bytes | None, added: dict[str, Any]) -> bytes:
    """Return a line with another text, or with None the same, and with more fields at its end."""
    _, begin, end = place
    if text is not None:
        line = line[:begin] + to_text(text, line[begin:end]) + line[end:]
    if added:
        close = line.rindex(b"}")
        line = line[:close].rstrip() + b", " + row(added)[1:-2] + line[close:]
    return line


def row(fields: Mapping[str, Any]) -> bytes:
    """Return a new record as a line."""
    return json.dumps(fields, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace") + b"\n"
