"""WET: the conversion records of web archives, with their addresses and dates.

Needs warcio, the extra ``warc``.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cleaner.errors import UsageError
from cleaner.opening import Stream
from cleaner.records import BLOCK_BYTES, Block, Document, Failure, Input

DIGESTS = ("warc-block-digest", "warc-payload-digest")


def archive(source: io.BufferedReader) -> Iterator[Any]:
    """Return the records of an uncompressed archive."""
    try:
        from warcio.archiveiterator import ArchiveIterator
    except ImportError:
        raise UsageError("WET needs warcio. Install it: pip install 'line-cleaner[warc]'") from None
    return iter(ArchiveIterator(source, no_record_parse=False))


@dataclass(frozen=True)
class Head:
    """The header of a record: the version of its format, and names and values in their order."""

    version: str
    rows: tuple[tuple[str, str], ...]

    def get(self, wanted: str) -> str:
        """Return the value of a name, or an empty string."""
        return next((value for name, value in self.rows if name.lower() == wanted.lower()), "")


def records(source: Input) -> Iterator[tuple[Head, bytes] | Failure]:
    """Yield the header and content of every conversion record, and at the end what went wrong."""
    raw = Stream(source.path)
    number, others = 0, ""
    try:
        for record in archive(io.BufferedReader(raw, 1 << 18)):
            head = Head(record.rec_headers.protocol, tuple(record.rec_headers.headers))
            stated = head.get("Content-Length")
            if not stated.isdigit() or not record.rec_type:
                message = "its header is cut short or damaged. Fetch the file again."
                yield Failure(source.name, number + 1, "cut", message)
                return
            if record.rec_type != "conversion":
                others = others if record.rec_type == "warcinfo" else record.rec_type
                continue
            number += 1
            data = record.content_stream().read()
            if len(data) < int(stated):
                message = f"cut short: {len(data)} of {stated} bytes. Fetch the file again."
                yield Failure(source.name, number, "cut", message, data)
                return
            yield head, data
    except UsageError:
        raise
    except Exception as error:
        message = f"damaged from here on ({error or type(error).__name__}). Fetch the file again."
        yield Failure(source.name, number + 1, "corrupt", message)
    if raw.error:
        message = str(raw.error).removeprefix(f"{source.path}: ")
        yield Failure(source.name, number + 1, "cut", message)
    elif others and not number:
        message = f"has {others} records and none of text. Give its WET file, or extract the text first."
        yield Failure(source.name, 0, "format", message)


def read_blocks(number: int, source: Input, at: tuple[int, int]) -> Iterator[Block]:
    """Yield the records of a file; ``at`` is how many records went before, and the number of the next."""
    skip = at[0]
    waiting: list[tuple[Head, bytes]] = []
    lost: list[Failure] = []
    size, made, seen = 0, skip, 0
    for found in records(source):
        if isinstance(found, Failure):
            lost.append(found)
            continue
        seen += 1
        if seen <= skip:
            continue
        waiting.append(found)
        size += len(found[1])
        if size >= BLOCK_BYTES:
            yield Block((number,), (source,), waiting, made + len(waiting), made + 1, len(waiting), last=False)
            made += len(waiting)
            waiting, size = [], 0
    yield Block((number,), (source,), waiting, made + len(waiting), made + 1, len(waiting), failures=tuple(lost))


def decode(block: Block) -> tuple[list[Document], list[Failure]]:
    """Read the records of a block."""
    documents, failures = [], []
    for index, (head, data) in enumerate(block.data):
        number = block.first + index
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"not UTF-8 at byte {error.start + 1}. The record is damaged; fetch the file again."
            failures.append(Failure(block.sources[0].name, number, "undecodable", message, data))
            continue
        names = {"id": "WARC-Record-ID", "url": "WARC-Target-URI", "date": "WARC-Date"}
        fields: dict[str, Any] = {name: head.get(key) for name, key in names.items()}
        documents.append(Document(number, fields["id"], data, head, fields))
    return documents, failures


def record_bytes(head: Head, text: bytes) -> bytes:
    """Return a conversion record with the header that it had, but for digests of what was its text."""
    kept = [row for row in head.rows if row[0].lower() not in ("content-length", *DIGESTS)]
    rows = "".join(f"{name}: {value}\r\n" for name, value in (*kept, ("Content-Length", len(text))))
    return f"{head.version}\r\n{rows}\r\n".encode() + text + b"\r\n\r\n"
