"""One document while it is being labelled: proposals, labels given so far, cursor, undo. No screen, no files."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cleaner.labels import JUNK

#: Lines whose proposal is wrong with at least this probability are visited first.
UNSURE = 0.25


@dataclass(frozen=True)
class Sheet:
    """A document to be labelled and what is proposed; the sequences have a value for each non-blank line.

    ``doubt`` is the probability that the proposal is wrong; ``hints`` are words on it. ``keys`` are equal
    where lines differ in digits and case alone, and 0 where a label must not carry over to such lines.
    """

    name: str  # <site>/<document>
    place: Path  # of the TSV file to write
    lines: tuple[str, ...]
    blank_before: tuple[bool, ...]
    proposed: tuple[str, ...]
    kinds: tuple[str, ...]
    doubt: tuple[float, ...]
    hints: tuple[str, ...]
    keys: tuple[int, ...]
    words: npt.NDArray[np.float32]  # counts of words by hash, what variety is judged by
    header: str = ""  # the first lines of the TSV file
    file: str = ""  # a digest of the TSV file as it was read, where that itself is corrected

    @property
    def site(self) -> str:
        """The site that the document is from."""
        return self.name.partition("/")[0]

    @property
    def digest(self) -> str:
        """A digest of the lines, or of the file that is corrected: a journal holds good for these alone."""
        return self.file or hashlib.sha256("\n".join(self.lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass
class Page:
    """The state of one document.

    ``known`` are labels given to lines of other documents of the site, by key: they replace the proposals
    for like lines, as labels given here do for the like lines of this document.
    """

    sheet: Sheet
    known: Mapping[int, str] = field(default_factory=dict)
    given: dict[int, str] = field(default_factory=dict)
    cursor: int = 0
    start: int | None = None  # the other end of the chosen range
    done: bool = False
    steps: list[dict[int, str | None]] = field(default_factory=list)
    proposed: list[str] = field(default_factory=list)
    doubt: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start at the first line in doubt."""
        self.propose()
        self.cursor = self.next_unsure(-1)

    def __len__(self) -> int:
        return len(self.sheet.lines)

    def propose(self) -> None:
        """Work out the proposals from the model's and from the labels given to like lines."""
        known = dict(self.known)
        known.update((self.sheet.keys[line], label) for line, label in self.given.items())
        self.proposed, self.doubt = list(self.sheet.proposed), list(self.sheet.doubt)
        for line, key in enumerate(self.sheet.keys):
            if key and key in known:
                self.proposed[line], self.doubt[line] = known[key], 0.0

    def label(self, line: int) -> str:
        """Return the label of a line: the one given, else the one proposed."""
        return self.given.get(line, self.proposed[line])

    def labels(self) -> list[str]:
        """Return the labels of all lines."""
        return [self.label(line) for line in range(len(self))]

    def unsure(self, line: int) -> bool:
        """Tell whether a line wants a look."""
        return line not in self.given and self.doubt[line] >= UNSURE

    def next_unsure(self, line: int, by: int = 1) -> int:
        """Return the next line that wants a look, round the end; without any the line behind, or the last."""
        size = len(self)
        for step in range(1, size + 1):
            other = (line + by * step) % size
            if self.unsure(other):
                return other
        return min(max(line + by, 0), size - 1)

    def chosen(self) -> range:
        """Return the lines that the next label is for: the range, else the line at the cursor."""
        start = self.cursor if self.start is None else self.start
        return range(min(start, self.cursor), max(start, self.cursor) + 1)

    def run(self) -> range:
        """Return the lines from the cursor on that show the same label and have not been given one."""
        end, label = self.cursor + 1, self.label(self.cursor)
        while end < len(self) and end not in self.given and self.label(end) == label:
            end += 1
        return range(self.cursor, end)

    def give(self, labels: Mapping[int, str], done: bool = False) -> None:
        """Set labels as one step that :meth:`undo` takes back."""
        self.steps.append({line: self.given.get(line) for line in labels})
        for line, label in labels.items():
            self.given.pop(line, None)  # the label given last is the last to be looked at
            self.given[line] = label
        self.done = done
        self.propose()

    def undo(self) -> None:
        """Take the last step back and go to where it was."""
        step = self.steps.pop()
        for line, label in step.items():
            if label is None:
                self.given.pop(line, None)
            else:
                self.given[line] = label
        self.done = False
        self.propose()
        self.go(min(step, default=self.cursor))

    def go(self, line: int, start: int | None = None) -> None:
        """Move the cursor, inside the document; ``start`` keeps a range open."""
        self.cursor, self.start = min(max(line, 0), len(self) - 1), start

    def rest(self) -> dict[int, str]:
        """Return the proposals for all lines without a label."""
        return {line: self.proposed[line] for line in range(len(self)) if line not in self.given}

    def find(self, text: str, lines: Iterable[int]) -> int | None:
        """Return the first of some lines that holds a text, in whatever case."""
        wanted = text.casefold()
        return next((line for line in lines if wanted in self.sheet.lines[line].casefold()), None)

    def tsv(self) -> str:
        """Return the document as training data; a tab inside a line becomes a space."""
        rows = [self.sheet.header]
        for line, text in enumerate(self.sheet.lines):
            label = self.label(line)
            kind = self.sheet.kinds[line] if label == self.sheet.proposed[line] == JUNK else ""
            blank = "\n" if self.sheet.blank_before[line] and line else ""
            rows.append(f"{blank}{label}\t{text.replace(chr(9), ' ')}" + (f"\t{kind}\n" if kind else "\n"))
        return "".join(rows)
