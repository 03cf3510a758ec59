"""Cleaned text and removed lines back to the input, exactly."""

import io
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import accumulate, pairwise
from numbers import Integral
from typing import Any

from cleaner import jsonl, lines
from cleaner.arguments import one_text
from cleaner.encodings import check, to_utf8
from cleaner.errors import CleanerError, DataError, UsageError
from cleaner.inputs import find_inputs
from cleaner.opening import chunks, stem

Row = Mapping[str, Any]
#: What is text in a row, if it is there.
TEXTS = ("document", "text", "raw", "encoding")
#: What to do where one output is of several inputs.
JOINED = "it cannot be told what is whose: clean to a folder, one output for each input."
#: What to do where one text became several records.
PIECES = "Put their texts together and give them to cleaner.restore (Python), or clean it to a text file."


def restore(cleaned: str, removed: Iterable[Row]) -> str:
    r"""Return a document as it was: its cleaned text, and the rows of its lines in the file of removed lines.

    A row has ``line``, its number in the document from 1, and ``text``, with its ending, the first line's
    with the document's byte order mark; or ``bytes`` and ``crc32`` of the cleaned text in UTF-8, or of its pieces in
    turn, and ``removed``, how many rows there are of its lines. Other rows are skipped.

    Raises:
        DataError: the rows do not fit the text, or one of them is none.
        TypeError: the text is no str.
        UsageError: the rows are none, but the name of a file: that is for :func:`restore_file`.

    >>> restore("one\n", [{"line": 2, "text": "SHARE THIS\n"}])
    'one\nSHARE THIS\n'
    """
    if isinstance(removed, str | bytes):
        raise UsageError("removed: give rows, one for each removed line; cleaner restore reads them from a file.")
    rows = list(removed)
    gone, texts = removed_lines(rows), list(filter(is_text, rows))
    check_cleaned(one_text(cleaned, "restore").encode("utf-8", "surrogatepass"), texts)
    count = sum(row.get("removed", 0) for row in texts)
    if texts and "removed" in texts[0] and len(gone) != count:
        raise DataError(f"{count} lines were removed, but {len(gone)} are in the rows. Give all that clean wrote.")
    marked = cleaned.startswith(lines.BOM) and gone.get(1, lines.BOM).startswith(lines.BOM)
    mark = lines.BOM if marked else ""  # else it is the first kept line's own
    if 1 in gone:
        gone[1] = gone[1].removeprefix(lines.BOM)
    kept = lines.split(cleaned[len(mark) :])
    total = len(kept) + len(gone)
    rest = iter(kept)
    try:
        out = [gone[number] if number in gone else next(rest) for number in range(1, total + 1)]
    except StopIteration:
        raise DataError("the removed lines are not of this text. Give the file that was written with it.") from None
    return mark + "".join(out)


def removed_lines(rows: Sequence[Row]) -> dict[int, str]:
    """Return the removed lines of a document by number; raise DataError if a row is none, or a line is there twice."""
    gone: dict[int, str] = {}
    for place, row in enumerate(rows, 1):
        if not is_whole(row):
            raise DataError(f"row {place} (counted from 1): not a removed line. Give what clean --removed wrote.")
        if "line" in row:
            if row["line"] in gone:
                raise DataError(f"line {row['line']} is in the rows twice. Give those of one document, each once.")
            gone[row["line"]] = row["text"]
    return gone


def check_cleaned(text: bytes, rows: Sequence[Row]) -> None:
    """Raise DataError if a text is not the one that was left; without rows, as in older files, nobody can tell."""
    ends = list(accumulate((row["bytes"] for row in rows), initial=0))
    found = [zlib.crc32(text[begin:end]) for begin, end in pairwise(ends)]
    if rows and (ends[-1] != len(text) or found != [row["crc32"] for row in rows]):
        raise DataError("not the text that was left when these lines were removed. Give that one, unchanged.")


def read_rows(path: str, name: str) -> tuple[list[str], list[Row]]:
    """Return the names of all files in the rows, and the rows about one file."""
    rows: list[Row] = []
    names: dict[str, None] = {}
    for number, line in enumerate(b"".join(chunks(path)).splitlines(), 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not is_row(row):
            raise DataError(f"{path}:{number}: not a removed line. Give what clean --removed wrote.")
        names[row["file"]] = None
        rows.append(row)
    if not name and len(names) > 1:
        raise UsageError(f"{path}: is about {len(names)} files ({', '.join(list(names)[:5])}…). Choose with --file.")
    if name and name not in names:
        raise UsageError(f"{path}: has nothing about {name!r}. It has {', '.join(list(names)[:5])}.")
    if not rows:
        raise DataError(f"{path}: has no rows, but clean --removed writes one for each text. Give what it wrote.")
    rows = [row for row in rows if not name or row["file"] == name]
    places = [(row["record"], row.get("line", 0)) for row in rows if not is_text(row)]
    if any(one > two or (one == two and one[1]) for one, two in pairwise(places)):
        raise DataError(f"{path}: is about two files of the name {rows[0]['file']!r}, so {JOINED}")
    return list(names), rows


def is_row(row: Any) -> bool:
    """Tell whether a row is of a line that was removed, a text, a string as it was written, or a record left out."""
    named = is_whole(row) and isinstance(row.get("file"), str) and type(row.get("record")) is int
    return named and any(name in row for name in ("line", "crc32", "raw", "skipped"))


def is_whole(row: Any) -> bool:
    """Tell whether a row of a line that was removed, or of a text, has what restoring needs; others need nothing."""
    if not isinstance(row, Mapping) or not all(isinstance(row.get(name, ""), str) for name in TEXTS):
        return False
    if "line" in row:
        return is_number(row["line"]) and "text" in row
    left = [row.get("bytes"), row.get("crc32"), row.get("removed", 0)]
    return "crc32" not in row or (all(map(is_number, left)) and is_names(row))


def is_number(value: Any) -> bool:
    """Tell whether a value is a whole number, of numpy perhaps."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_names(row: Row) -> bool:
    """Tell whether the fields that were added, if any, are told by name."""
    added = row.get("added", [])
    return isinstance(added, list) and all(isinstance(name, str) for name in added)


def is_text(row: Row) -> bool:
    """Tell whether a row is of a cleaned text, or of a piece of it."""
    return "crc32" in row and "line" not in row


def restore_file(cleaned: str, removed: str, name: str = "", encoding: str = "", text_field: str = "") -> bytes:
    """Return the bytes of the input that a cleaned text or JSONL file was made of, without what failed or was rejected.

    ``name``: of the input in the file of removed lines, where several are in it; ``text_field``: as for ``clean``.

    Raises:
        UsageError, DataError: a file cannot be read, is of another format, or does not fit the other.
    """
    sources = find_inputs([cleaned])
    if len(sources) != 1:
        raise UsageError(f"{cleaned}: {len(sources)} files. Give one file; --file says what it is called in {removed}.")
    source = sources[0]
    try:
        names, rows = read_rows(removed, name)
    except CleanerError:
        if source.format == "jsonl" and not source.size:  # without a record there are no rows of it
            return b""
        raise
    told = next((row["encoding"] for row in rows if "encoding" in row), "")
    encoding, sure = encoding or told, bool(told) or not any(map(is_text, rows))  # a text of UTF-8 is not told
    check(encoding)
    try:
        if source.format == "text":
            text, found = to_utf8(b"".join(chunks(source.path)), encoding, sure)
            whole = restore(text.decode("utf-8", "surrogatepass"), rows)
            return whole.encode(found, "surrogatepass")
        if source.format == "jsonl":
            if len(names) > 1 and stem(os.path.basename(cleaned)) != stem(os.path.basename(name)):
                raise DataError(f"its name is not that of {name!r}. If several inputs were joined in it, {JOINED}")
            return b"".join(restored_lines(b"".join(chunks(source.path)), rows, text_field))
    except UnicodeEncodeError as error:
        message = f"the removed lines are not of this text, which is {error.encoding}. Give its own, or its --encoding."
        raise DataError(f"{cleaned}: {message}") from None
    except DataError as error:
        raise DataError(f"{cleaned}: {error}") from None
    raise UsageError(f"{cleaned}: {source.format} cannot be restored. Give text or JSONL.")


def restored_lines(data: bytes, rows: Sequence[Row], text_field: str) -> Iterator[bytes]:
    """Yield the lines of a JSONL file with their texts as they were."""
    of: dict[int, list[Row]] = {}
    for row in rows:
        of.setdefault(row["record"], []).append(row)
    number, every = 0, any(map(is_text, rows))
    for place, line in enumerate(io.BytesIO(data), 1):
        number += 1
        while any("skipped" in row for row in of.get(number, ())):
            number += 1
        about = of.get(number, [])
        if sum(map(is_text, about)) > 1:
            raise DataError(f"is of a text cut into {sum(map(is_text, about))} records. {PIECES}")
        if not about:
            if every and not line.isspace():
                message = "has no row in the removed lines. Give all that clean wrote. If several were joined"
                raise DataError(f"record {number} {message}, {JOINED}")
            yield line
            continue
        try:
            yield restored_line(line, about, text_field)
        except ValueError as error:
            raise DataError(f"line {place}: not a JSON object ({error}). Give the file as clean wrote it.") from None
        except DataError as error:
            raise DataError(f"record {number}: {error}") from None
    if any(one > number and not all("skipped" in row for row in about) for one, about in of.items()):
        raise DataError(f"has {number} records, but there were more. Give the file written with the removed lines.")


def restored_line(line: bytes, about: list[Row], text_field: str) -> bytes:
    """Return a line of a JSONL file as it was, by its text and without new fields; raise ValueError if it is none."""
    mark = len(lines.MARK) if line.startswith(lines.MARK) else 0
    new = [name for row in about for name in row.get("added", ())]
    line = line[:mark] + without(line[mark:], new) if new else line
    record = jsonl.parse(line[mark:])
    called = about[0].get("document")
    if called and called not in {str(value) for value in record.values() if isinstance(value, str | int)}:
        raise DataError(f"not {called!r}, of which lines were removed. If joined, {JOINED}")
    field = jsonl.text_field(record, text_field)
    begin, end = jsonl.span(line[mark:], field)
    try:
        text = restore(record[field], about)
    except DataError as error:
        raise DataError(f"field {field!r}: {error} Choose another field with --text-field.") from None
    if not any("line" in row for row in about):
        return line
    raw = next((row["raw"].encode("utf-8", "surrogatepass") for row in about if "raw" in row), None)
    value = raw or jsonl.to_text(text.encode("utf-8", "surrogatepass"), b'""')
    return line[: mark + begin] + value + line[mark + end :]


def without(line: bytes, names: Sequence[str]) -> bytes:
    """Return a line of a JSONL file without the fields that were put at its end.

    Raises:
        DataError: they are not there, or others are behind them.
        ValueError: the line is no record.
    """
    there = jsonl.parse(line)
    begin = min(line.rfind(f', "{name}": '.encode()) for name in names)  # no string has such quotes in it
    end = len(line[: line.rindex(b"}")].rstrip())
    with suppress(ValueError):
        if begin >= 0 and jsonl.parse(line[:begin] + line[end:]).keys() == there.keys() - set(names):
            return line[:begin] + line[end:]
    raise DataError(f"has not {', '.join(names)} at its end. Give the file as clean wrote it.")
