r"""JSON Lines: blocks of whole lines, and a text put back into its record.

Only the bytes of the text's value are replaced. All other fields stay byte for byte: large integers,
decimals such as ``1.10``, escapes, order, duplicate keys, spaces.
"""

import codecs
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson

from cleaner.cells import dumped
from cleaner.encodings import extends_ascii, is_utf8, marked
from cleaner.errors import DataError
from cleaner.lines import MARK, line_pieces
from cleaner.opening import begin_of, chunks, skim
from cleaner.records import BLOCK_BYTES, Block, Document, Failure, Input

#: Where the text is looked for, in this order.
TEXT_FIELDS = ("text", "content", "body", "article", "document", "raw_content", "raw_text", "article_text")
ID_FIELDS = ("id", "_id", "doc_id", "document_id", "uuid", "url")
NAME_IT = "Name its encoding, for example --encoding cp1252; detect is for text files alone."
NULL = "is null, not a string. Fill it, or leave the row out."
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.S)
TOKEN = re.compile(STRING.pattern + rb"|[{}\[\]]", re.S)
COLON = re.compile(rb'[ \t\r\n]*:[ \t\r\n]*(?=")')
BACKSLASH = ord("\\")
#: What values of JSON that are no text become; a column of Parquet comes as its type, which names itself.
JSON = (int, float, list, dict)


def integer(digits: str) -> float:
    """Return a number of JSON, which may have more digits than Python makes an int of."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


#: What orjson does not read: NaN and the infinities, lone surrogates.
LENIENT = json.JSONDecoder(parse_int=integer)


def transcoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Turn an encoding whose lines cannot be cut before they are decoded into UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for piece in chain(pieces, [b""]):
        held = len(decoder.getstate()[0])
        try:
            yield decoder.decode(piece, not piece).encode("utf-8", "surrogatepass")
        except UnicodeError as error:
            good = error.start - held if isinstance(error, UnicodeDecodeError) else 0
            with suppress(UnicodeError):
                yield decoder.decode(piece[: max(good, 0)]).encode("utf-8", "surrogatepass")
            raise DataError(f"not {encoding.upper()} from here on ({error}). Give the right --encoding.") from None


def encoding_of(path: str, encoding: str) -> tuple[str, bool]:
    """Return the encoding of a file, empty for UTF-8, and whether its lines can be cut before they are decoded."""
    try:
        name = marked(begin_of(path)) or ("" if encoding == "detect" else encoding)
    except (DataError, OSError):
        name = encoding  # reading it again says what is wrong
    if not name or codecs.lookup(name).name in ("utf-8", "utf-8-sig"):
        return "", True
    if name.startswith(("utf-16-", "utf-32-")):
        return name[:6] if name != encoding else name, False
    return name, extends_ascii(name)


def read_blocks(number: int, source: Input, at: tuple[int, int], encoding: str = "") -> Iterator[Block]:
    """Yield the blocks of a JSONL file from an offset on; ``at`` is that offset and the record's number there."""
    begin, record = at
    if source.fault:
        told = Failure(source.name, 0, "format", source.fault)
        yield Block((number,), (source,), b"", begin, record, 0, failures=(told,))
        return
    fault: list[DataError] = []
    name, by_line = encoding_of(source.path, encoding)
    if by_line:
        pieces = guarded(chunks(source.path, begin), fault)
    else:
        pieces, name = skim(guarded(transcoded(chunks(source.path), name), fault), begin), ""
    for data, last in line_pieces(pieces, BLOCK_BYTES):
        tail = b""
        if last and fault and not data.endswith(b"\n"):
            cut = data.rfind(b"\n") + 1
            data, tail = data[:cut], data[cut:]  # noqa: PLW2901 - the cut record is none
        count = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
        begin += len(data)
        lost: tuple[Failure, ...] = ()
        if last and fault:
            lost = (Failure(source.name, record + count, "cut", plainly(fault[0], source), tail or None, True),)
        yield Block((number,), (source,), data, begin, record, count, last=last, failures=lost, encoding=name)
        record += count


def plainly(error: DataError, source: Input) -> str:
    """Return an error's message without the path that will stand before it."""
    return str(error).removeprefix(f"{source.path}: ")


def guarded(pieces: Iterator[bytes], fault: list[DataError]) -> Iterator[bytes]:
    """Yield the content of a file; a fault ends it and is kept."""
    try:
        yield from pieces
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
    """Return the name of the field with the text, the first of the names that the record has.

    Raises:
        DataError: it is not there, null or not a string; the message lists the fields that are.
    """
    names = (wanted,) if wanted else TEXT_FIELDS
    name = next((one for one in names if one in record), None)
    if name is not None and isinstance(record[name], str):
        return name
    there = ", ".join(map(str, list(record)[:20])) or "none"
    if name is None:
        missing = f"no field {wanted!r}" if wanted else "no field that is known to hold text"
        raise DataError(f"{missing}. Its fields: {there}. Choose one with --text-field.")
    if record[name] is None:
        raise DataError(f"field {name!r} {NULL}")
    kind = type(record[name]).__name__ if isinstance(record[name], JSON) else str(record[name])
    raise DataError(f"field {name!r} is {kind}, not a string. Its fields: {there}. Choose with --text-field.")


@lru_cache(maxsize=100)
def key_of(name: str) -> re.Pattern[bytes]:
    """Return what finds a field with a string in a record."""
    key = re.escape(json.dumps(name, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return re.compile(key + COLON.pattern)


def span(line: bytes, name: str) -> tuple[int, int]:
    """Return where in a line the value of a field of the record itself begins and ends.

    A candidate is right if a number in its place turns up as the value of that field.
    """
    for begin in filter(None, candidates(line, name)):
        end = end_of(line, begin)
        if parse(line[:begin] + b"0" + line[end:]).get(name) == 0:
            return begin, end
    raise DataError(f"field {name!r} cannot be found again in the record. Report this line.")


def candidates(line: bytes, name: str) -> Iterator[int]:
    """Yield where the value may begin: behind the first such key, nearly always right; then as :func:`own` says."""
    if found := key_of(name).search(line):
        yield found.end()
    yield own(line, name)


def own(line: bytes, name: str) -> int:
    """Return where the string begins that is the last value of a key of the record itself; 0 if there is none."""
    depth, place = 0, 0
    for found in TOKEN.finditer(line):
        token = found[0]
        if token in b"{[":
            depth += 1
        elif token in b"]}":
            depth -= 1
        elif (
            depth == 1
            and (value := COLON.match(line, found.end()))
            and json.loads(token.decode("utf-8", "surrogatepass")) == name
        ):
            place = value.end()
    return place


def end_of(line: bytes, begin: int) -> int:
    """Return where the JSON string that begins with a quote there ends; the line is JSON."""
    end = line.find(b'"', begin + 1)
    while end > 0 and line[end - 1] == BACKSLASH:
        slash = end - 1
        while line[slash] == BACKSLASH:
            slash -= 1
        if (end - slash) % 2:  # an even number before it: they escape each other
            break
        end = line.find(b'"', end + 1)
    return end + 1


def decode(data: bytes, block: Block, options: tuple[str, str]) -> tuple[list[Document], list[Failure], list[bytes]]:
    """Read the records of a block; ``options`` are text field and id field, empty: found by themselves.

    Returns the documents, the failures, and all lines, in UTF-8 (documents name theirs by place).
    """
    rows = io.BytesIO(data).readlines()
    documents, failures = [], []
    for index, raw in enumerate(rows):
        if raw.isspace():
            continue
        try:
            rows[index] = line = utf8(raw, block.encoding)
            mark = len(MARK) if block.first + index == 1 and line.startswith(MARK) else 0
            record = parse(line[mark:])
            name = text_field(record, options[0])
            begin, end = span(line[mark:], name)
            text = record[name].encode("utf-8", "surrogatepass")
            place = (index, mark + begin, mark + end)
            documents.append(Document(block.first + index, identity(record, options[1]), text, place, record))
        except UnicodeDecodeError as error:
            remedy = "Mend the line, or give another --encoding." if block.encoding else NAME_IT
            message = f"not {(block.encoding or 'utf-8').upper()} ({error.reason}). {remedy}"
            failures.append(failure(block, index, "undecodable", message, raw))
        except DataError as error:
            failures.append(failure(block, index, "field", str(error), raw))
        except ValueError as error:
            failures.append(failure(block, index, "malformed", f"not a JSON object ({error}). Mend the line.", raw))
    return documents, failures, rows


def utf8(line: bytes, encoding: str) -> bytes:
    """Return a line in UTF-8; ``encoding`` is its own if it is not that, empty: it is."""
    if not encoding or is_utf8(line):
        return line
    return line.decode(encoding).encode("utf-8", "surrogatepass")


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
        end = len(line[:close].rstrip())
        line = line[:end] + b", " + row(added)[1:-2] + line[end:]
    return line


def row(fields: Mapping[str, Any]) -> bytes:
    """Return a new record as a line."""
    return dumped(fields).encode("utf-8", "backslashreplace") + b"\n"
