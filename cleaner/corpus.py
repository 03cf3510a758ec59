"""Labelled documents: read, grouped, and described for a card.

Two formats. A folder of TSV files, ``<site>/<document>.tsv``: ``label<TAB>line``, for junk an optional
third column with its kind (``kind`` or ``kind/detail``), an empty line where the text has a blank one,
and at the top optional ``# language: xx`` and ``# view: page|extract``. Or JSON Lines, also gzipped, a
document each: ``id``, ``site`` and ``lines`` with ``text`` and ``label``, optionally ``weak``, ``kind``,
``blank_before``; and ``source``, ``lang``, ``view``.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleaner.data_files import labelled_files
from cleaner.errors import DataError, UsageError
from cleaner.grouping import BATCH_BYTES
from cleaner.parsing import LabelledDocument, Parser, Place, Problem

__all__ = [
    "ALL_WEAK",
    "LICENCES",
    "LONG_WORDS",
    "NO_LINES",
    "PAGE_VIEWS",
    "LabelledDocument",
    "Paths",
    "as_paths",
    "describe",
    "digest",
    "fold_of",
    "groups_of",
    "read_labelled",
    "read_sure",
    "read_tsv",
]

#: A labelled file or folder, or several.
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
#: Views of whole pages; the others are what an extractor left of them.
PAGE_VIEWS = ("html-text", "inscriptis", "page")
#: What is known of the licences of the labels of public gold sets; the text of real pages is their publishers'.
LICENCES = {
    "daniel": "labels: none stated (rundimeco/waddle)",
    "fundus": "labels: MIT (flairNLP/fundus)",
    "fundus_hist": "labels: MIT (flairNLP/fundus)",
    "invented": "MIT, written for this project",
    "trafilatura_segments": "labels: Apache-2.0 (adbar/trafilatura)",
    "wcxb": "labels: CC-BY-4.0 (Murrough-Foley/web-content-extraction-benchmark)",
}


#: Words from which a line is not found in two articles by chance: in training and test data it gives the test away.
LONG_WORDS = 8
NO_LINES = "no labelled lines found. Give folders of .tsv or .jsonl files with lines in them."
ALL_WEAK = "all lines are weak, and such lines neither train nor are measured. Give lines whose labels are sure."


def as_paths(data: Paths) -> list[Path]:
    """Return one path or several as a list.

    Raises:
        UsageError: one is an empty text, which would be the working directory.
    """
    paths = [data] if isinstance(data, str | os.PathLike) else list(data)
    if "" in paths:
        raise UsageError("a path is empty. Give a labelled file or folder; . is the working directory.")
    return [Path(path) for path in paths]


@dataclass
class Strict(Parser):
    """Refuses the first mistake."""

    def note(self, place: Place, message: str, unknown: str = "") -> None:
        """Raise :class:`DataError`."""
        raise DataError(str(Problem(str(place.path), place.line, place.inside + message)))


def read_labelled(paths: Iterable[Path]) -> list[LabelledDocument]:
    """Read labelled documents from files and, recursively, folders, in a fixed order; those without lines are left out.

    Raises:
        DataError: a path is missing or of another format, or a line is wrong; names file and line.
    """
    parser = Strict()
    return [one for file in labelled_files(paths) for one in parser.read(file) if one.lines]


def read_sure(data: Paths) -> list[LabelledDocument]:
    """Read labelled documents to train on or to measure on, as :func:`read_labelled` does.

    Raises:
        DataError: a file is wrong, or all lines are weak.
    """
    paths = as_paths(data)
    documents = read_labelled(paths)
    if documents and all(all(document.weak) for document in documents):
        raise DataError(f"{', '.join(map(str, paths))}: {ALL_WEAK}")
    return documents


def read_tsv(path: Path) -> LabelledDocument:
    """Read one labelled document; its folder's name is its site."""
    return next(Strict().read(path))


def fold_of(site: str, folds: int) -> int:
    """Return the fold of a site, the same on every machine."""
    return int.from_bytes(hashlib.sha256(site.encode("utf-8", "surrogatepass")).digest()[:4], "big") % folds


def groups_of(documents: Sequence[LabelledDocument]) -> list[list[LabelledDocument]]:
    """Group documents into batches of a few megabytes."""
    groups: list[list[LabelledDocument]] = [[]]
    size = 0
    for document in documents:
        if size > 4 * BATCH_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(document)
        size += sum(map(len, document.lines))
    return groups


def digest(documents: Iterable[LabelledDocument]) -> str:
    """Return a SHA-256 over lines and labels, in order: names the data that a model was trained on."""
    state = hashlib.sha256()
    for document in documents:
        for row in zip(document.lines, document.labels, document.weak, strict=True):
            state.update(repr(row).encode("utf-8", "surrogatepass"))
    return state.hexdigest()


def describe(documents: Sequence[LabelledDocument]) -> list[dict[str, Any]]:
    """Return what the card says of data: by source the documents, sites, lines and digest."""
    rows = []
    for source in sorted({document.source for document in documents}):
        group = [document for document in documents if document.source == source]
        rows.append(
            {
                "source": source,
                "documents": len({document.id for document in group}),
                "sites": len({document.site for document in group}),
                "lines": sum(len(document.lines) for document in group),
                "licence": LICENCES.get(source, "the trainer's own"),
                "sha256": digest(group),
            }
        )
    return rows
