"""Labelled files read to the end, every problem noted with file and line.

`corpus` refuses a file at the first mistake; here a wrong line is reported and left out, and reading goes on.
"""

import difflib
import gzip
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cleaner import lines
from cleaner.corpus import LabelledDocument, json_document, one_line
from cleaner.data_files import (
    QUOTE,
    UNQUOTED,
    Taken,
    cut,
    doubled_quotes,
    is_tsv,
    labelled_files,
    of_this_project,
    quoted,
    separator,
    unused_id,
    unused_record_id,
)
from cleaner.data_records import line_problem, record_of
from cleaner.labels import BODY, KINDS, LABELS

__all__ = ["Located", "Problem", "Reader", "labelled_files"]

VIEWS = ("page", "extract")
#: An unknown label on so many lines is no slip.
OFTEN = 10


@dataclass(frozen=True, order=True)
class Problem:
    """Something wrong with labelled data; ``line`` counts from 1, 0 stands for the whole file."""

    file: str
    line: int
    message: str
    unknown: str = ""  # the label that is not known, if it is that

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass(frozen=True)
class Located:
    """A labelled document and where it stands; ``numbers`` are line numbers, in JSON Lines that of the record."""

    document: LabelledDocument
    path: Path
    numbers: tuple[int, ...]
    header: str = ""

    def problem(self, line: int, message: str) -> Problem:
        """Return a problem of a line of the document, 0 being its first."""
        place = "" if is_tsv(self.path) else f"line {line + 1} of {self.document.id}: "
        return Problem(str(self.path), self.numbers[line], place + message)


@dataclass
class Reader:
    """Reads labelled files and collects what is wrong in them; any label is right if ``labels`` is empty.

    ``refused`` are labels whose lines are left out, ``taken`` the ids of the documents read.
    """

    labels: Collection[str] = LABELS
    problems: list[Problem] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    taken: Taken = field(default_factory=dict)

    def read(self, path: Path) -> list[Located]:
        """Return the documents of a file with their right lines; empty ones too."""
        try:
            return [self.tsv(path)] if is_tsv(path) else list(self.records(path))
        except (OSError, EOFError, zlib.error) as error:
            self.note(path, 0, f"cannot be read ({error}). Fetch the file again.")
            return []

    def note(self, path: Path, line: int, message: str, unknown: str = "") -> None:
        """Keep a problem."""
        self.problems.append(Problem(str(path), line, message, unknown))

    def summed(self, found: Sequence[Located]) -> list[Problem]:
        """Return the problems, those of unknown labels that are frequent as one: they are likely meant.

        ``found`` are the documents that were read: their labels are among those to name.
        """
        counts = Counter(one.unknown for one in self.problems if one.unknown)
        often = [label for label, count in counts.most_common() if count >= OFTEN]
        if not often:
            return self.problems
        first = next(one for one in self.problems if one.unknown in often)
        used = {label for one in found for label in one.document.labels}
        names = ",".join([BODY, *(label for label in self.labels if label in used - {BODY}), *sorted(often)])
        lines = ", ".join(f"{label!r} ({counts[label]} lines)" for label in often)
        message = f"unknown labels {lines}. If they are meant: --labels {names}"
        return [replace(first, line=0, message=message), *(one for one in self.problems if one.unknown not in often)]

    def tsv(self, path: Path) -> Located:
        """Read ``label<TAB>line`` rows."""
        data = path.read_bytes()
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            self.note(path, 1, "UTF-16. Save the file as UTF-8.")
            data = b""
        rows: list[tuple[int, bool, str, str, str]] = []
        header: dict[str, str] = {}
        blank = False
        for number, raw in enumerate(cut(data.removeprefix(b"\xef\xbb\xbf")), 1):
            row = self.decoded(path, number, raw)
            if row is None:
                continue
            if lines.blank(row):
                blank = True
            elif row.startswith("# "):
                self.header(path, number, row, header if not rows else None)
            elif (found := self.row(path, number, row.split("\t"))) is not None:
                rows.append((number, blank and bool(rows), *found))
                blank = False
        numbers, blanks, labels, texts, kinds = zip(*rows, strict=True) if rows else ((), (), (), (), ())
        if found_quoted := quoted(texts):
            self.note(path, 0, found_quoted)
        site, weak = path.resolve().parent.name, (False,) * len(rows)
        view, name = header.get("view", ""), f"{site}/{path.stem}"
        source = "invented" if "view" in header and of_this_project(path) else "tsv"
        told = source, view, header.get("language", "")
        name = unused_id(name, path, self.taken) if rows else name
        document = LabelledDocument(name, site, texts, labels, kinds, weak, blanks, *told)
        return Located(document, path, numbers, "".join(f"# {key}: {value}\n" for key, value in header.items()))

    def decoded(self, path: Path, number: int, raw: bytes) -> str | None:
        """Return a row as text; None if it is not UTF-8."""
        try:
            row = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self.note(path, number, f"not UTF-8 at byte {error.start + 1} of the line. Save the whole file as UTF-8.")
            return None
        self.characters(path, number, row)
        return row

    def characters(self, path: Path, number: int, text: str) -> None:
        """Note signs of a wrong encoding."""
        if "\ufffd" in text:
            self.note(path, number, "a replacement character: the text was decoded wrongly. Fetch it again.")
        elif any(ord(char) < 32 and char not in "\t\x0b\x0c" for char in text):
            self.note(path, number, "a control character in the text. Take it out.")
        elif not text.isascii() and mistaken(text):
            self.note(path, number, "UTF-8 that was read as Windows-1252. Fetch the text again.")

    def header(self, path: Path, number: int, row: str, header: dict[str, str] | None) -> None:
        """Read a header row; ``header`` is None below the first line."""
        key, _, value = row[2:].partition(": ")
        if header is None:
            self.note(path, number, "a header below the first line. Move it to the top.")
            return
        if key not in ("language", "view"):
            self.note(path, number, f"{key!r} is no header. Use '# language: xx' and '# view: page' or 'extract'.")
        if key == "view" and value not in VIEWS:
            self.note(path, number, f"{value!r} is no view. Use page or extract.")
        header[key] = value

    def row(self, path: Path, number: int, columns: list[str]) -> tuple[str, str, str] | None:
        """Return label, text and kind of a row; None if one of them is wrong."""
        before = len(self.problems)
        if len(columns) == 1:
            self.note(path, number, f"1 column{separator(columns[0])}. Write label<TAB>line.")
            return None
        label, text, *rest = columns
        self.check_label(path, number, label)
        if lines.blank(text):
            self.note(path, number, "a label and no text. Leave the row empty for a blank line.")
        if doubled_quotes(text):
            self.note(path, number, f"a text in quotes, its own quotes doubled. {UNQUOTED}")
        if len(rest) == 1 and rest[0].startswith(QUOTE):
            self.note(path, number, f"{rest[0]!r} is no kind of junk. {UNQUOTED}")
        elif len(rest) > 1 or (rest and rest[0] and rest[0].partition("/")[0] not in KINDS):
            kinds = ", ".join(KINDS)
            self.note(path, number, f"{len(columns)} columns: a tab in the text, or no kind of junk. Kinds: {kinds}.")
        elif rest and rest[0] and label != "junk":
            self.note(path, number, f"a kind of junk ({rest[0]}) on a line labelled {label!r}. Take one of them back.")
        return (label, one_line(text), rest[0] if rest else "") if len(self.problems) == before else None

    def check_label(self, path: Path, number: int, label: str) -> None:
        """Note a label that cannot be one, or is not known."""
        before = len(self.problems)
        if not label.strip():
            self.note(path, number, f"{label!r} is no label. Use one of {', '.join(self.labels)}.")
        elif label.startswith(QUOTE):
            self.note(path, number, f"{label!r} is no label. {UNQUOTED}")
        elif label != label.strip().lower():
            self.note(path, number, f"{label!r} is no label. Write {label.strip().lower()!r}.")
        elif self.labels and label not in self.labels:
            near = difflib.get_close_matches(label, list(self.labels), 1)
            meant = f"Perhaps {near[0]!r}? " if near else ""
            self.note(
                path, number, f"unknown label {label!r}. {meant}Labels of your own: --labels body,{label},…", label
            )
        self.refused += [label] * (len(self.problems) > before)

    def records(self, path: Path) -> Iterator[Located]:
        """Read JSON Lines."""
        empty = True
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as rows:
            for number, row in enumerate(rows, 1):
                if not row.strip():
                    continue
                empty = False
                try:
                    record = record_of(row)
                except ValueError as error:
                    self.note(path, number, str(error))
                else:
                    yield self.record(path, number, record)
        if empty:
            self.note(path, 0, "no labelled documents. Label some, or take it out.")

    def record(self, path: Path, number: int, record: dict[str, Any]) -> Located:
        """Read a labelled document from a JSON record, leaving out its wrong lines."""
        rows = []
        for line, row in enumerate(record["lines"], 1):
            before = len(self.problems)
            problem = line_problem(row)
            if problem:
                self.note(path, number, problem)
            elif lines.blank(row["text"]):
                continue
            else:
                self.check_label(path, number, row["label"])
                self.characters(path, number, row["text"])
            wrong = self.problems[before:]
            self.problems[before:] = [replace(one, message=f"line {line}: {one.message}") for one in wrong]
            rows += [] if wrong else [row]
        document = json_document({**record, "lines": rows}, f"{path}:{number}")
        if rows:
            name = unused_record_id((document.id, document.site, document.view), path, self.taken)
            document = replace(document, id=name)
        return Located(document, path, (number,) * max(len(rows), 1))


def mistaken(text: str) -> bool:
    """Tell whether a text is UTF-8 that was decoded as Windows-1252: it can be encoded and decoded back.

    >>> mistaken("cafÃ©"), mistaken("café")
    (True, False)
    """
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False
