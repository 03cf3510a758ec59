"""Labelled files read to the end for `cleaner check-data`, with problems that training does not refuse."""

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cleaner.data_files import VIEWS, is_tsv, labelled_files, quoted
from cleaner.labels import BODY, LABELS
from cleaner.parsing import LabelledDocument, Parser, Place, Problem
from cleaner.wording import amount

__all__ = ["Located", "Problem", "Reader"]

#: An unknown label on so many lines is no slip.
OFTEN = 10


@dataclass(frozen=True)
class Located:
    """A labelled document and where it stands; ``numbers`` are line numbers, in JSON Lines that of the record."""

    document: LabelledDocument
    path: Path
    numbers: tuple[int, ...]

    def problem(self, line: int, message: str) -> Problem:
        """Return a problem of a line of the document, 0 being its first."""
        place = "" if is_tsv(self.path) else f"line {line + 1} of {self.document.id}: "
        return Problem(str(self.path), self.numbers[line], place + message)


@dataclass
class Reader(Parser):
    """Reads labelled files and collects what is wrong in them; any label is right if ``labels`` is empty.

    ``refused`` are labels whose lines are left out.
    """

    labels: Collection[str] = LABELS
    refused: list[str] = field(default_factory=list)

    def read_all(self, paths: Iterable[Path]) -> list[Located]:
        """Return the documents of files, and of those in folders."""
        return [one for file in labelled_files(paths) for one in self.located(file)]

    def located(self, path: Path) -> list[Located]:
        """Return the documents of a file with their right lines; empty ones too."""
        found = [self.place(one, path) for one in self.read(path)]
        if not found and not any(one.file == str(path) for one in self.problems):
            self.note(Place(path, 0), "no labelled documents. Label some, or take it out.")
        return found

    def place(self, document: LabelledDocument, path: Path) -> Located:
        """Return a document with where it stands; note what is wrong with it as a whole."""
        if is_tsv(path):
            if found := quoted(document.lines):
                self.note(Place(path, 0), found)
            return Located(document, path, document.rows)
        record = int(document.path.rpartition(":")[2])
        return Located(document, path, (record,) * max(len(document.lines), 1))

    def summed(self, found: Sequence[Located]) -> list[Problem]:
        """Return the problems, those of unknown labels as one if some are frequent: they are likely meant.

        But for rare ones that are nearly another label: those are likely slips.
        ``found`` are the documents that were read: their labels are among those to name.
        """
        counts = Counter(one.unknown for one in self.problems if one.unknown)
        often = [label for label, count in counts.most_common() if count >= OFTEN]
        if not often:
            return self.problems
        near = [*self.labels, *often]
        meant = [label for label in counts if label in often or not difflib.get_close_matches(label, near, 1)]
        meant.sort(key=lambda label: -counts[label])
        first = next(one for one in self.problems if one.unknown in meant)
        used = {label for one in found for label in one.document.labels}
        names = ",".join([BODY, *(label for label in self.labels if label in used - {BODY}), *sorted(meant)])
        lines = ", ".join(f"{label!r} ({amount(counts[label], 'line')})" for label in meant)
        message = f"unknown labels {lines}. If they are meant: --labels {names}"
        return [replace(first, line=0, message=message), *(one for one in self.problems if one.unknown not in meant)]

    def text(self, place: Place, text: str) -> None:
        """Note signs of a wrong encoding."""
        if "\ufffd" in text:
            self.note(place, "a replacement character: the text was decoded wrongly. Fetch it again.")
        elif any(ord(char) < 32 and char not in "\t\x0b\x0c" for char in text):
            self.note(place, "a control character in the text. Take it out.")
        elif not text.isascii() and mistaken(text):
            self.note(place, "UTF-8 that was read as Windows-1252. Fetch the text again.")

    def header(self, place: Place, row: str, header: dict[str, str] | None) -> None:
        """Read a header row, noting names and values that say nothing here."""
        super().header(place, row, header)
        key, _, value = row[2:].partition(": ")
        if header is None:
            return
        if key not in ("language", "view"):
            self.note(place, f"{key!r} is no header. Use '# language: xx' and '# view: page' or 'extract'.")
        if key == "view" and value not in VIEWS:
            self.note(place, f"{value!r} is no view. Use page or extract.")

    def label(self, place: Place, label: str) -> None:
        """Note a label that cannot be one, or is not known."""
        before = len(self.problems)
        super().label(place, label)
        if len(self.problems) == before and self.labels and label not in self.labels:
            near = difflib.get_close_matches(label, list(self.labels), 1)
            meant = f"Perhaps {near[0]!r}? " if near else ""
            self.note(place, f"unknown label {label!r}. {meant}Labels of your own: --labels body,{label},…", label)
        self.refused += [label] * (len(self.problems) > before)


def mistaken(text: str) -> bool:
    """Tell whether a text is UTF-8 that was decoded as Windows-1252: it can be encoded and decoded back.

    >>> mistaken("cafÃ©"), mistaken("café")
    (True, False)
    """
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False
