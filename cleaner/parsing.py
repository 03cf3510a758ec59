"""Labelled files parsed, TSV and JSON Lines alike: every mistake is noted, its row left out, and reading goes on.

Two read so: `corpus`, for which the first mistake is an error, and `checking`, which lists them all and looks for more.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

from cleaner import lines
from cleaner.data_files import (
    QUOTE,
    UNQUOTED,
    Taken,
    cut,
    doubled_quotes,
    is_tsv,
    of_this_project,
    separator,
    unused_id,
    unused_record_id,
)
from cleaner.data_records import label_problem, line_problem, record_of
from cleaner.encodings import marked
from cleaner.labels import KINDS, LABELS


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

    def data(self) -> bytes:
        """Return the document as plain text in UTF-8; lone surrogates survive."""
        return self.text().encode("utf-8", "surrogatepass")

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


class Place(NamedTuple):
    """Where something is wrong: ``line`` counts from 1, 0 stands for the file; ``inside`` says where in a record."""

    path: Path
    line: int
    inside: str = ""


@dataclass(frozen=True, order=True)
class Problem:
    """Something wrong with labelled data; ``line`` counts from 1, 0 stands for the whole file."""

    file: str
    line: int
    message: str
    unknown: str = ""  # the label that is not known, if it is that

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


#: What spreadsheets have for a first row.
HEADINGS = {("label", "text"), ("label", "line"), ("label", "content")}
#: What a TSV row says: label, text and kind of junk.
Row = tuple[str, str, str]


@dataclass
class Parser:
    """Parses labelled files; what is wrong goes to :meth:`note`, any label that can be one is right.

    ``taken`` are the ids of the documents so far.
    """

    problems: list[Problem] = field(default_factory=list)
    taken: Taken = field(default_factory=dict)

    def read(self, path: Path) -> Iterator[LabelledDocument]:
        """Return the documents of a file with their right lines; empty ones too."""
        number = 0
        try:
            if is_tsv(path):
                yield self.tsv(path)
            else:
                for number, record in self.records(path):
                    yield self.record(Place(path, number), record)
        except (OSError, EOFError, zlib.error) as error:
            after = f" after record {number}" if number else ""
            self.note(Place(path, 0), f"cannot be read{after} ({error}). Fetch the file again.")

    def note(self, place: Place, message: str, unknown: str = "") -> None:
        """Keep a problem."""
        self.problems.append(Problem(str(place.path), place.line, place.inside + message, unknown))

    def tsv(self, path: Path) -> LabelledDocument:
        """Read ``label<TAB>line`` rows; the folder's name is the site."""
        data = path.read_bytes()
        if (mark := marked(data)) not in ("", "utf-8"):
            self.note(Place(path, 1), f"{mark[:6].upper()}. Save the file as UTF-8.")
            data = b""
        rows: list[Row] = []
        numbers: list[int] = []
        blanks: list[bool] = []
        header: dict[str, str] = {}
        blank = False
        for number, raw in enumerate(cut(data.removeprefix(lines.MARK)), 1):
            place = Place(path, number)
            text = self.decoded(place, raw)
            if text is None:
                continue
            if lines.blank(text):
                blank = True
            elif text.startswith("# "):
                self.header(place, text, header if not rows else None)
            elif (row := self.row(place, text)) is not None:
                blanks.append(blank and bool(rows))
                rows.append(row)
                numbers.append(number)
                blank = False
        document = self.document(path, rows, numbers, blanks, header)
        doubled = doubled_quotes(document.lines)
        for number in compress(numbers, doubled):
            self.note(Place(path, number), f"a text in quotes, its own quotes doubled. {UNQUOTED}")
        return document.subset([not one for one in doubled]) if any(doubled) else document

    def document(
        self, path: Path, rows: Sequence[Row], numbers: Sequence[int], blanks: Sequence[bool], header: dict[str, str]
    ) -> LabelledDocument:
        """Return the document of a TSV file."""
        site = path.absolute().parent.name
        name = f"{site}/{path.stem}"
        labels, texts, kinds = zip(*rows, strict=True) if rows else ((), (), ())
        return LabelledDocument(
            unused_id(name, path, self.taken) if rows else name,
            site,
            texts,
            labels,
            kinds,
            (False,) * len(rows),
            tuple(blanks),
            "invented" if "view" in header and of_this_project(path) else "tsv",
            header.get("view", ""),
            header.get("language", ""),
            str(path),
            tuple(numbers),
        )

    def decoded(self, place: Place, raw: bytes) -> str | None:
        """Return a row as text; None if it is not UTF-8."""
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self.note(place, f"not UTF-8 at byte {error.start + 1} of the line. Save the whole file as UTF-8.")
            return None

    def header(self, place: Place, row: str, header: dict[str, str] | None) -> None:
        """Read a header row; ``header`` is None below the first line."""
        key, _, value = row[2:].partition(": ")
        if header is None:
            self.note(place, "a header below the first line. Move it to the top.")
        else:
            header[key] = value.strip()

    def row(self, place: Place, row: str) -> Row | None:
        """Return label, text and kind of a TSV row; None if one of them is wrong."""
        before = len(self.problems)
        label, *rest = row.split("\t")
        if not rest:
            self.note(place, f"1 column{separator(row)}. Write label<TAB>line, for junk also <TAB>kind.")
            return None
        text, kind = rest[0], rest[1] if len(rest) == 2 else ""
        if (label.lower(), text.lower()) in HEADINGS:
            self.note(place, "names of columns. Take the row out.")
            return None
        if text.strip().lower() in LABELS and len(label.split()) > 1:
            self.note(place, "the text before its label. Write label<TAB>line.")
            return None
        self.label(place, label)
        if lines.blank(text):
            self.note(place, "a label and no text. Leave the row empty for a blank line.")
        self.text(place, text)
        if kind.startswith(QUOTE):
            self.note(place, f"{kind!r} is no kind of junk. {UNQUOTED}")
        elif len(rest) > 2:
            self.note(
                place,
                f"{len(rest) + 1} columns: a tab in the text, or a column too many. Make it a space, or delete it.",
            )
        elif kind and kind.partition("/")[0] not in KINDS:
            self.note(place, f"{kind!r} is no kind of junk, or follows a tab in the text. Kinds: {', '.join(KINDS)}.")
        elif kind and label != "junk":
            self.note(place, f"a kind of junk ({kind}) on a line labelled {label!r}. Take one of them back.")
        return (label, one_line(text), kind) if len(self.problems) == before else None

    def label(self, place: Place, label: str) -> None:
        """Note a label that cannot be one."""
        if problem := label_problem(label):
            self.note(place, problem)

    def text(self, place: Place, text: str) -> None:
        """Note what is wrong with a text; here nothing can be."""

    def records(self, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """Return the records of a file of JSON Lines, numbered from 1."""
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as rows:
            for number, row in enumerate(rows, 1):
                if not row.strip():
                    continue
                try:
                    record = record_of(row)
                except ValueError as error:
                    self.note(Place(path, number), str(error))
                else:
                    yield number, record

    def record(self, place: Place, record: dict[str, Any]) -> LabelledDocument:
        """Read a labelled document from a JSON record, leaving out its wrong lines."""
        rows = []
        for number, row in enumerate(record["lines"], 1):
            before = len(self.problems)
            inside = Place(place.path, place.line, f"line {number}: ")
            if problem := line_problem(row):
                self.note(inside, problem)
            elif lines.blank(row["text"]):
                continue
            else:
                self.label(inside, row["label"])
                self.text(inside, row["text"])
            rows += [row] if len(self.problems) == before else []
        view = record.get("view") or ""
        name = record["id"]
        return LabelledDocument(
            unused_record_id((name, record["site"], view), place.path, self.taken) if rows else name,
            record["site"],
            tuple(one_line(row["text"]) for row in rows),
            tuple(row["label"] for row in rows),
            tuple(row.get("kind") or "" for row in rows),
            tuple(bool(row.get("weak")) for row in rows),
            tuple(bool(row.get("blank_before")) for row in rows),
            record.get("source") or "",
            view,
            record.get("lang") or "",
            f"{place.path}:{place.line}",
        )


def one_line(text: str) -> str:
    """Return a text without line endings inside it, so that it stays one line."""
    return " ".join(text.splitlines())
