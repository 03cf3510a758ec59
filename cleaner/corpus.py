"""Labelled documents: read, check, split by site.

Two formats. A folder of TSV files, ``<site>/<document>.tsv``: ``label<TAB>line``, for junk an optional
third column with its kind (``kind`` or ``kind/detail``), an empty line where the text has a blank one,
and at the top optional ``# language: xx`` and ``# view: page|extract``. Or JSON Lines, also gzipped, a
document each: ``id``, ``site`` and ``lines`` with ``text`` and ``label``, optionally ``weak``, ``kind``,
``blank_before``; and ``source``, ``lang``, ``view``.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cleaner import lines
from cleaner.data_files import (
    QUOTE,
    UNQUOTED,
    Taken,
    cut,
    doubled_quotes,
    is_tsv,
    labelled_files,
    of_this_project,
    separator,
    unused_id,
    unused_record_id,
)
from cleaner.data_records import line_problem, record_of
from cleaner.errors import DataError
from cleaner.labels import KINDS

__all__ = [
    "LICENCES",
    "LONG_WORDS",
    "PAGE_VIEWS",
    "LabelledDocument",
    "Paths",
    "as_paths",
    "describe",
    "digest",
    "fold_of",
    "read_labelled",
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


@dataclass(frozen=True)
class LabelledDocument:
    """One document with a label for each non-blank line; the sequences run in parallel."""

    id: str
    site: str
    lines: tuple[str, ...]
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    weak: tuple[bool, ...]
    blank_before: tuple[bool, ...]
    source: str = ""
    view: str = ""
    language: str = ""
    path: str = ""
    rows: tuple[int, ...] = ()  # where each line stands in a TSV file; in JSON Lines ``path`` has the record

    def place(self, line: int) -> str:
        """Return where a line stands, as errors name it: file and row, or record and line."""
        return f"{self.path}:{self.rows[line]}" if self.rows else f"{self.path or self.id}: line {line + 1}"

    def text(self) -> str:
        """Return the document as plain text."""
        return "".join("\n" * blank + line + "\n" for line, blank in zip(self.lines, self.blank_before, strict=True))

    def subset(self, keep: Sequence[bool]) -> "LabelledDocument":
        """Return the document without some of its lines."""

        def pick(values: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(value for value, kept in zip(values, keep, strict=True) if kept)

        return replace(
            self,
            lines=pick(self.lines),
            labels=pick(self.labels),
            kinds=pick(self.kinds),
            weak=pick(self.weak),
            blank_before=pick(self.blank_before),
            rows=pick(self.rows) if self.rows else (),
        )


#: Words from which a line is not found in two articles by chance: in training and test data it gives the test away.
LONG_WORDS = 8


def as_paths(data: Paths) -> list[Path]:
    """Return one path or several as a list."""
    return [Path(path) for path in ([data] if isinstance(data, str | os.PathLike) else data)]


def read_labelled(paths: Iterable[Path]) -> list[LabelledDocument]:
    """Read labelled documents from files and, recursively, folders, in a fixed order.

    Raises:
        DataError: a path is missing or of another format, or a line is wrong; names file and line.
    """
    documents: list[LabelledDocument] = []
    taken: Taken = {}
    for file in labelled_files(paths):
        if not is_tsv(file):
            for one in read_jsonl(file):
                if one.lines:
                    name = unused_record_id((one.id, one.site, one.view), file, taken)
                    documents.append(one if name == one.id else replace(one, id=name))
        elif (document := read_tsv(file)).lines:
            documents.append(replace(document, id=unused_id(document.id, file, taken)))
    return documents


def one_line(text: str) -> str:
    """Return a text without line endings inside it, so that it stays one line."""
    return " ".join(text.splitlines())


def read_tsv(path: Path) -> LabelledDocument:
    """Read one labelled document; its folder's name is its site."""
    rows = read_rows(path)
    header: dict[str, str] = {}
    found: list[tuple[str, str, str]] = []
    blanks: list[bool] = []
    numbers: list[int] = []
    blank = False
    for number, row in enumerate((row.removesuffix("\r") for row in rows), 1):
        if lines.blank(row):
            blank = True
        elif row.startswith("# ") and not found:
            key, _, value = row[2:].partition(": ")
            header[key] = value
        else:
            found.append(tsv_line(row, f"{path}:{number}"))
            blanks.append(blank and len(found) > 1)
            numbers.append(number)
            blank = False
    labels, texts, kinds = zip(*found, strict=True) if found else ((), (), ())
    return LabelledDocument(
        f"{path.parent.name}/{path.stem}",
        path.parent.name,
        texts,
        labels,
        kinds,
        (False,) * len(found),
        tuple(blanks),
        "invented" if "view" in header and of_this_project(path) else "tsv",
        header.get("view", ""),
        header.get("language", ""),
        str(path),
        tuple(numbers),
    )


def read_rows(path: Path) -> list[str]:
    """Return the rows of a text file; raise :class:`DataError` if it is missing or not UTF-8."""
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Give a folder of .tsv files, or a .jsonl file.") from None
    except UnicodeDecodeError as error:
        row = len(cut(data[: error.start]))
        raise DataError(
            f"{path}:{row}: not UTF-8 at byte {error.start + 1}, perhaps pasted from a file in another encoding. "
            "Save the whole file as UTF-8."
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}). Make it readable.") from None


def check_label(label: str, where: str) -> str:
    """Return a label; raise :class:`DataError` if it cannot be one."""
    if not label:
        raise DataError(f"{where}: a text and no label. Write label<TAB>line.")
    if label.startswith(QUOTE):
        raise DataError(f"{where}: {label!r} is no label. {UNQUOTED}")
    if label != label.strip().lower():
        raise DataError(f"{where}: {label!r} is no label. Write it in lower case, without spaces around it.")
    return label


def tsv_line(row: str, where: str) -> tuple[str, str, str]:
    """Return label, text and kind of a row; ``where`` is named in the error."""
    label, *rest = row.split("\t")
    if not rest or len(rest) > 2:
        what = f"{len(rest) + 1} columns{separator(row)}"
        raise DataError(f"{where}: {what}. Write label<TAB>line, for junk also <TAB>kind.")
    check_label(label, where)
    if lines.blank(rest[0]):
        raise DataError(f"{where}: the line has a label and no text. Leave the row empty for a blank line.")
    if doubled_quotes(rest[0]):
        raise DataError(f"{where}: a text in quotes, its own quotes doubled. {UNQUOTED}")
    kind = rest[1] if len(rest) == 2 else ""
    if kind.startswith(QUOTE):
        raise DataError(f"{where}: {kind!r} is no kind of junk. {UNQUOTED}")
    if kind and kind.partition("/")[0] not in KINDS:
        raise DataError(
            f"{where}: {kind!r} is no kind of junk. Use one of {', '.join(KINDS)}; "
            "a tab inside the line must be a space."
        )
    return label, one_line(rest[0]), kind


def read_jsonl(path: Path) -> Iterator[LabelledDocument]:
    """Read labelled documents from JSON Lines."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as rows:
            for number, row in enumerate(rows, 1):  # named in the errors below
                if row.strip():
                    yield json_document(record_of(row), f"{path}:{number}")
    except ValueError as error:
        raise DataError(f"{path}:{number}: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read after record {number} ({error}). Fetch the file again.") from None


def json_document(record: dict[str, Any], where: str) -> LabelledDocument:
    """Build a document from a JSON record; raise :class:`DataError` if a line is wrong."""
    rows = []
    for number, row in enumerate(record["lines"], 1):
        problem = line_problem(row)
        if problem:
            raise DataError(f"{where}: line {number}: {problem}")
        if not lines.blank(row["text"]):
            check_label(row["label"], f"{where}: line {number}")
            rows.append(row)
    return LabelledDocument(
        record["id"],
        record["site"],
        tuple(one_line(row["text"]) for row in rows),
        tuple(row["label"] for row in rows),
        tuple(row.get("kind") or "" for row in rows),
        tuple(bool(row.get("weak")) for row in rows),
        tuple(bool(row.get("blank_before")) for row in rows),
        record.get("source") or "",
        record.get("view") or "",
        record.get("lang") or "",
        where,
    )


def fold_of(site: str, folds: int) -> int:
    """Return the fold of a site, the same on every machine."""
    return int.from_bytes(hashlib.sha256(site.encode("utf-8", "surrogatepass")).digest()[:4], "big") % folds


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
