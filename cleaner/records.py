"""What the readers of all formats hand on: inputs, blocks of records, documents, failures.

A *record* is what a file is made of (a line of JSONL, a row of Parquet, a conversion record of WET, a
text file); the text in it is the *document*. A *block* is a run of records of one or several inputs,
cut at places that the input alone decides: the same input gives the same blocks, and so the same
output, however many workers there are and however often a run was interrupted.
"""

import base64
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from cleaner.encodings import BEGIN, marked
from cleaner.errors import DataError

#: About so many bytes of records are worked on at a time by a worker.
BLOCK_BYTES = 2_000_000
FORMATS = ("text", "jsonl", "parquet", "wet")
SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".wet": "wet",
    ".warc": "wet",
    ".txt": "text",
    ".text": "text",
    ".md": "text",
}
#: How JSON begins that is an array of records, or a record over several lines.
WHOLE_JSON = re.compile(rb'\[\s*\{\s*"|\{[ \t]*\r?\n\s*"[^"\n]*"\s*:')

#: So many lines that are not blank tell whether an input is JSONL, as half of them must be records: the first may be
#: damaged, and a scraped text may hold a line or two of JSON.
FIRST_LINES = 20


@dataclass(frozen=True)
class Input:
    """A file to read: ``name`` for people, ``path`` to open, ``relative`` where it goes in a folder.

    ``stamp`` changes when the content does (size and time of change, or the store's own tag).
    """

    name: str
    path: str
    relative: str
    format: str
    size: int = -1  # bytes, -1 if unknown
    stamp: str = ""
    fault: str = ""  # why it cannot be read, if its first bytes tell

    @property
    def written(self) -> str:
        """The format that it is written in where none is asked for."""
        return "jsonl" if self.format == "wet" else self.format


@dataclass(frozen=True)
class Failure:
    """A record that could not be cleaned; ``raw`` are its bytes, where they can be had."""

    name: str
    record: int  # number in its input, from 1; 0 for the input as a whole
    reason: str  # one of few, for counting
    message: str
    raw: bytes | None = None
    lines: bool = False  # raw is a line of JSONL, or a row of Parquet as one
    count: int = 1  # records that it stands for
    line: int = 0  # of a text that cannot be read, from 1; 0: unknown

    def named(self) -> "Failure":
        """Return it without the bytes."""
        return replace(self, raw=None)

    def __str__(self) -> str:
        """Say what failed where, and what to do."""
        at = self.record or self.line
        return f"{self.name}:{at}: {self.message}" if at else f"{self.name}: {self.message}"


@dataclass(frozen=True)
class Block:
    """A run of records: of one input, or the whole of several small text files."""

    inputs: tuple[int, ...]  # their numbers in the run
    sources: tuple[Input, ...]
    data: Any  # bytes; of WET headers and text of each record; of small texts what is read of each, None: not yet
    end: int  # where the input's next block begins, in its reader's own unit
    first: int = 1  # number of the first record
    count: int = 1  # records
    line: int = 0  # lines of the document that went before, for a text cut in pieces
    next_line: int = 0  # and those before its next piece
    last: bool = True  # nothing of the input follows
    failures: tuple[Failure, ...] = ()
    encoding: str = ""  # of the lines of JSONL that are not UTF-8; empty: all are

    @property
    def grouped(self) -> bool:
        """Whether it holds whole inputs."""
        return isinstance(self.data, tuple)

    @property
    def size(self) -> int:
        """Bytes that the block stands for: of whole inputs as they are stored, of WET the texts."""
        if self.grouped:
            return sum(max(one.size, 0) for one in self.sources)
        return len(self.data) if isinstance(self.data, bytes) else sum(len(text) for _, text in self.data)


@dataclass(frozen=True)
class Document:
    """A text in UTF-8 and the record that it came in; ``place`` is what its format needs to put it back."""

    record: int
    id: str
    text: bytes
    place: Any = None
    fields: dict[str, Any] = field(default_factory=dict)


def failed_row(failure: Failure) -> bytes:
    """Return what goes to the file of failed records: a line of JSONL, all else in a JSON object that names it."""
    if failure.lines and failure.raw is not None:
        return failure.raw if failure.raw.endswith(b"\n") else failure.raw + b"\n"
    row = {"file": failure.name, "record": failure.record, "reason": failure.reason}
    if failure.count > 1:
        row["records"] = failure.count
    if failure.line:
        row["line"] = failure.line
    if failure.raw is not None:
        row["base64"] = base64.b64encode(failure.raw).decode()
    return json.dumps(row).encode() + b"\n"


def sniff(begin: bytes, name: str) -> str:
    """Return the format of an input by its first bytes.

    Raises:
        DataError: it is none that can be read.
    """
    if begin[:4] == b"PAR1":
        return "parquet"
    if begin[:5] == b"WARC/":
        return "wet"
    begin = unmarked(begin[:BEGIN]).lstrip()
    if WHOLE_JSON.match(begin):
        how = "'.[]'" if begin[:1] == b"[" else "."
        remedy = f"Convert it with: jq -c {how}; as text: cleaner clean --input-format text."
        raise DataError(f"{name}: JSON, but not a record a line. {remedy}")
    records, lines = first_records(begin)
    return "jsonl" if 2 * records >= lines else "text"


def holds_records(text: bytes) -> bool:
    """Tell whether a document in UTF-8, called a text, is JSONL: more than half of its first lines are records."""
    begin = unmarked(text[:BEGIN]) + b"\n" * (len(text) <= BEGIN)
    records, lines = first_records(begin.lstrip())
    return 2 * records > lines


def unmarked(begin: bytes) -> bytes:
    """Return the beginning of an input in UTF-8, without a byte order mark, if such a mark tells what it is."""
    name = marked(begin)
    return begin.decode(name, "replace").removeprefix("\ufeff").encode("utf-8", "replace") if name else begin


def first_records(begin: bytes) -> tuple[int, int]:
    """Return how many of the first lines are records, and how many lines these are; the last may be cut."""
    *whole, last = begin.split(b"\n")
    first = [row for row in whole if row.strip()][:FIRST_LINES]
    if not first:  # it may be cut only because it is longer than what was read
        return int(is_record(last) or (last[:1] == b"{" and b'":' in last[:200])), 1
    return sum(map(is_record, first)), len(first)


def is_record(row: bytes) -> bool:
    """Tell whether a line is a JSON object with something in it."""
    try:
        return row.lstrip()[:1] == b"{" and bool(json.loads(row, parse_int=float))
    except (ValueError, RecursionError):
        return False
