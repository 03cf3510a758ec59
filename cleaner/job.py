"""What workers are given and give back: plain values that travel between processes."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from cleaner.cleaning import Cleaner
from cleaner.model import Model
from cleaner.options import BatchOptions
from cleaner.outcomes import Outcome
from cleaner.quality import Quality
from cleaner.records import Block, Document, Failure
from cleaner.sharing import load_shared
from cleaner.summary import Counts


@dataclass(frozen=True)
class Job:
    """What is the same for all blocks of a run."""

    options: BatchOptions
    form: str  # of the output: text, jsonl, parquet, wet, or empty: the input's
    number: int = 0  # of the run in its process; each keeps to the model that it began with
    shared: str = ""  # folder with the model's arrays, for worker processes
    folder: str = ""  # where text files are written, one each; empty: they are returned
    sides: dict[str, str] = field(default_factory=dict)  # compression of each file beside the output
    packed: str = ""  # compression of that one
    mirrored: bool = False  # every input has its own output
    joined: bool = False  # several inputs go into one output


@dataclass
class Done:
    """What came of a block: bytes for each sink, files written, counts, failures by name."""

    sinks: dict[str, bytes] = field(default_factory=dict)
    files: list[tuple[int, int, str]] = field(default_factory=list)  # input number, bytes, SHA-256
    texts: list[tuple[int, bytes, str]] = field(default_factory=list)  # input number, cleaned text, its encoding
    poor: list[int] = field(default_factory=list)  # numbers of the texts that are rejected, which have no output
    counts: Counts = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)  # inputs from which something goes


@dataclass
class Table:
    """The records of a block while they are worked on."""

    block: Block
    documents: list[Document]
    failures: list[Failure]
    read: Any = None  # what the format needs to write the block again
    outcomes: list[Outcome] = field(default_factory=list)
    grades: list[Quality] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)  # indices of the documents that are not rejected


@lru_cache(4)
def loaded(number: int, shared: str, options: BatchOptions) -> Cleaner:
    """Return the cleaner of a run of this number; a fifth at once makes the first read its model again."""
    model = load_shared(Path(shared)) if shared else Model.load(options.model)
    return Cleaner(model, options.keep, options.aim)


def named(table: Table, index: int) -> str:
    """Return the name of the input that a document came in."""
    document, block = table.documents[index], table.block
    return block.sources[document.place[0] if block.sources[0].format == "text" else 0].name
