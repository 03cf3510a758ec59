"""Text files: a file a document. Small ones go to the workers in groups, huge ones in pieces."""

import codecs
import os
from collections.abc import Iterator

from cleaner.encodings import check_back, refuse_nuls, to_utf8
from cleaner.errors import DataError
from cleaner.inputs import format_by_name
from cleaner.lines import MARK, line_pieces
from cleaner.opening import begin_of, chunks, compression, is_remote, unread
from cleaner.records import BLOCK_BYTES, Block, Document, Failure, Input, holds_records, sniff

#: Files from this size on are cleaned in pieces, without the quality of the whole.
HUGE_BYTES = 16_000_000
GROUP_FILES = 500
RECORDS = (
    "its lines are records, which as text would lose some. End its name in .jsonl, or give --input-format jsonl; "
    "or --input-format text, if it is text."
)


def groups(inputs: Iterator[tuple[int, Input]]) -> Iterator[list[tuple[int, Input]]]:
    """Group text files so that each group has about a block's bytes; a huge file is a group of its own."""
    waiting: list[tuple[int, Input]] = []
    size = 0
    for number, source in inputs:
        huge = source.size > HUGE_BYTES
        if waiting and (huge or size >= BLOCK_BYTES or len(waiting) >= GROUP_FILES):
            yield waiting
            waiting, size = [], 0
        waiting.append((number, source))
        size += max(source.size, 1000) if not huge else BLOCK_BYTES
    if waiting:
        yield waiting


def small_block(group: list[tuple[int, Input]]) -> Block:
    """Return the block of a group; local files are left for the worker to read."""
    numbers, sources = zip(*group, strict=True)
    data: tuple[bytes | DataError | None, ...] = tuple(
        fetched(one) if one.path == "-" or is_remote(one.path) else None for one in sources
    )
    return Block(numbers, sources, data, numbers[-1] + 1, count=len(numbers))


def fetched(source: Input) -> bytes | DataError:
    """Return the content of a file, or why there is none."""
    try:
        return b"".join(chunks(source.path))
    except DataError as error:
        return error
    except Exception as error:
        return DataError(f"{source.name}: {unread(source.path, error)}")


def read_huge(number: int, source: Input, begin: int, line: int, sure: bool) -> Iterator[Block]:
    """Yield a huge UTF-8 text in pieces, the same that :meth:`Cleaner.clean` makes, from an offset on.

    ``sure``: it is a text, though it may hold records.
    """
    lost: Failure | None = None
    try:
        if begin == 0:
            decoder = codecs.getincrementaldecoder("utf-8")()
            for piece in chunks(source.path):
                decoder.decode(piece)
            decoder.decode(b"", True)
            start = begin_of(source.path)
            refuse_nuls(start)
            if not sure and holds_records(start):
                lost = Failure(source.name, 0, "format", RECORDS)
    except DataError as error:
        lost = Failure(source.name, 0, "unreadable", str(error).removeprefix(f"{source.path}: "))
    except UnicodeDecodeError as error:
        message = f"{error} Convert it to UTF-8 first: files as large as this are cleaned in pieces."
        lost = Failure(source.name, 0, "undecodable", message)
    if lost:
        yield Block((number,), (source,), b"", begin, failures=(lost,))
        return
    for data, last in line_pieces(chunks(source.path, begin), BLOCK_BYTES):
        begin += len(data)
        after = line + len(data.decode().splitlines())
        yield Block((number,), (source,), data, begin, line=line, next_line=after, last=last)
        line = after


def is_huge(source: Input, encoding: str) -> bool:
    """Tell whether a text is cleaned in pieces, as only plain UTF-8 can be; ``encoding`` is the one that was given."""
    stored_plainly = source.path != "-" and not compression(source.path)
    return source.size > HUGE_BYTES and stored_plainly and is_plain(encoding)


def is_plain(encoding: str) -> bool:
    """Tell whether an encoding that was given, or none, is UTF-8, however it is spelt."""
    return not encoding or (encoding != "detect" and codecs.lookup(encoding).name == "utf-8")


def decode(block: Block, encoding: str, back: bool, sure: bool) -> tuple[list[Document], list[Failure]]:
    """Read the text files of a block; a document's place is the file's index in it and its encoding.

    ``back``: it is to be a text again, and what cannot be written in its encoding as it came is a failure; else it
    loses its byte order mark. ``sure``: what holds records is no failure.
    """
    documents, failures = [], []
    if block.failures:
        return [], []  # a huge text that cannot be read is no document
    given = (block.data,) if isinstance(block.data, bytes) else block.data
    for index, (source, ready) in enumerate(zip(block.sources, given, strict=True)):
        data = fetched(source) if ready is None else ready
        if isinstance(data, DataError):
            message = str(data).removeprefix(f"{source.path}: ").removeprefix(f"{source.name}: ")
            reason = "cut" if "cut short" in message else "unreadable"
            failures.append(Failure(source.name, 0, reason, message, stored(source)))
            continue
        try:
            text, name = to_utf8(data, encoding)
            if block.grouped:  # of a huge text the beginning is known to be one
                refuse_nuls(text)
            if back:
                check_back(data, text, name)
        except DataError as error:
            line, _, rest = str(error).partition(": ")
            at, message = (int(line), rest) if line.isdigit() else (0, str(error))
            failures.append(Failure(source.name, 0, "undecodable", message, data, line=at))
            continue
        if block.grouped and not sure and holds_records(text):
            failures.append(Failure(source.name, 0, "format", RECORDS, data))
            continue
        text = text if back or block.line else text.removeprefix(MARK)
        documents.append(Document(1, source.relative, text, (index, name)))
    return documents, failures


def stored(source: Input) -> bytes | None:
    """Return a file's bytes as they are stored, where they can be had."""
    try:
        if is_remote(source.path) or os.path.getsize(source.path) > HUGE_BYTES:
            return None
        with open(source.path, "rb") as file:
            return file.read()
    except OSError:
        return None


def read_text(name: str, encoding: str) -> str:
    """Read a text, compressed or not, in any encoding, as `clean` does.

    Raises:
        DataError: it cannot be read, or is no text but records.
    """
    shown = "stdin" if name == "-" else name
    try:
        form = format_by_name(name)
        data = b"" if form not in ("", "text") else b"".join(chunks(name))
        form = form or sniff(data, shown)
    except OSError as error:
        raise DataError(f"{shown}: {error.strerror or error}. Check the file and its permissions.") from None
    try:
        text = to_utf8(data, encoding)[0] if form == "text" else b""
        refuse_nuls(text)
    except DataError as error:
        about = str(error)
        raise DataError(f"{shown}:{about}" if about[:1].isdigit() else f"{shown}: {about}") from None
    form = "jsonl" if holds_records(text) else form
    if form != "text":
        command = f"cleaner clean {name} --input-format {form} --add-labels -o OUTPUT"
        raise DataError(f"{shown}: is {form}, not text. Label its records: {command}")
    return text.decode("utf-8", "surrogatepass")
