"""What cleaning did to each document of a group: its text, its lines, what went and why.

The documents are grouped and cut as :meth:`cleaner.cleaning.Cleaner.clean_bytes` does, so the text is the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleaner.alphabet import IDEOGRAPH
from cleaner.cleaning import Cleaner, Result, batches, ends, pieces
from cleaner.rules import Applied, Rules

__all__ = ["BLANK", "RULE", "How", "Line", "Outcome", "outcomes"]

#: Labels of removed lines that the model did not label.
BLANK, RULE = "blank", "rule"


class Line(NamedTuple):
    """A line of a document: ``data`` with its ending; the label is the likeliest, with its probability."""

    number: int  # in the document, from 1, blank lines counted
    label: str
    kind: str
    probability: float
    data: bytes


@dataclass
class Outcome:
    """A cleaned document; the arrays have a row for each line that is not blank."""

    cleaned: bytes
    gone: list[bytes]  # the lines that went, with their endings; blank ones are empty
    removed: list[Line]  # the same in full, if asked for
    numbers: npt.NDArray[np.int64]
    codes: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]  # [lines, labels]
    words: npt.NDArray[np.int64]
    kept: npt.NDArray[np.bool_]
    extracts: list[tuple[str, bytes]] = field(default_factory=list)  # label and line, of the labels asked for
    kinds: list[str] = field(default_factory=list)  # a row each: the kind of junk, empty where the model does not say


@dataclass(frozen=True)
class How:
    """The user's rules, the labels whose lines are collected, and whether removed lines are told in full."""

    rules: Rules
    extract: frozenset[str] = frozenset()
    full: bool = False


def shifted(one: Applied, by: int) -> Applied:
    """Count the lines of a document that comes in pieces from its start."""
    text, numbers, gone, stay = one
    return text, [n + by for n in numbers], {n + by: raw for n, raw in gone.items()}, {n + by for n in stay}


def outcomes(cleaner: Cleaner, documents: list[bytes], how: How, begin: int = 0) -> Iterator[Outcome]:
    """Clean UTF-8 documents; yields one outcome each, in order.

    ``begin`` lines of the first document have gone before, for one that comes in pieces.
    """
    applied = [shifted(how.rules.apply(document), begin) for document in documents] if how.rules else []
    texts = [one[0] for one in applied] or documents
    parts = ((data, last) for text in texts for data, last in ends(pieces(text)))
    waiting: list[Outcome] = []
    before, index = 0 if applied else begin, 0
    for group in batches(parts):
        stays = [applied[i][3] if applied else set() for i in owners(group, index)]
        places = [applied[i][1] if applied else [] for i in owners(group, index)]
        starts: list[int] = []
        for data, last in group:
            starts.append(before)
            before = 0 if last else before + len(data.decode("utf-8", "surrogatepass").splitlines())
        found = grouped(cleaner, group, Rest(starts, stays, places, how))
        for outcome, (_, last) in zip(found, group, strict=True):
            waiting.append(outcome)
            if last:
                yield with_rules(joined(waiting), applied[index][2] if applied else {}, how.full)
                waiting, index = [], index + 1


def owners(group: list[tuple[bytes, bool]], index: int) -> Iterator[int]:
    """Yield the number of the document that each piece is of."""
    for _, last in group:
        yield index
        index += last


class Rest(NamedTuple):
    """What else is known of the pieces of a group, one entry each."""

    starts: list[int]  # lines of the document before it
    stays: list[set[int]]  # numbers of the lines that a rule keeps
    places: list[list[int]]  # number of each line of the document, where a rule took lines out
    how: How


def forced(rest: Rest, result: Result) -> npt.NDArray[np.bool_]:
    """Tell which non-blank lines of a group a rule keeps."""
    document = result.batch.text.document
    first = np.searchsorted(document, np.arange(len(rest.stays))).tolist()
    chosen = []
    for number in np.flatnonzero(result.batch.full).tolist():
        owner = int(document[number])
        stay = rest.stays[owner]
        chosen.append(bool(stay) and rest.places[owner][rest.starts[owner] + number - first[owner]] in stay)
    return np.asarray(chosen, np.bool_)


def grouped(cleaner: Cleaner, group: list[tuple[bytes, bool]], rest: Rest) -> Iterator[Outcome]:
    """Clean a group of pieces in one go."""
    force = partial(forced, rest) if any(rest.stays) else None
    cleaned, result, keep = cleaner.examine([data for data, _ in group], force)
    text, full, tokens = result.batch.text, result.batch.full, result.batch.tokens
    is_word = np.concatenate([[0], np.cumsum(tokens.shape <= IDEOGRAPH)])
    words = is_word[tokens.first[1:]] - is_word[tokens.first[:-1]]
    borders = np.searchsorted(text.document, np.arange(len(group) + 1)).tolist()
    rows = np.concatenate([[0], np.cumsum(full)])
    lines = Lines(cleaner.model.labels, result, cleaner.kinds_of(result))
    for index in range(len(group)):
        begin, end = borders[index], borders[index + 1]
        part = slice(int(rows[begin]), int(rows[end]))
        numbers = np.arange(begin, end) - begin + rest.starts[index] + 1
        if rest.places[index]:
            numbers = np.asarray(rest.places[index], np.int64)[numbers - 1]
        offset = (numbers - np.arange(begin, end)).tolist() if rest.how.full else []
        gone = (np.flatnonzero(~keep[begin:end]) + begin).tolist()
        outcome = Outcome(
            cleaned[index],
            [lines.raw(at) for at in gone],
            [lines.line(at, at + offset[at - begin]) for at in gone] if rest.how.full else [],
            numbers[full[begin:end]],
            result.codes[part],
            result.probabilities[part],
            words[part],
            keep[begin:end][full[begin:end]],
        )
        outcome.kinds = lines.kinds[part]
        if rest.how.extract:
            found = [lines.line(at, 0) for at in range(begin, end)]
            outcome.extracts = [(one.label, one.data) for one in found if one.label in rest.how.extract]
        yield outcome


class Lines:
    """The lines of a group, one at a time."""

    def __init__(self, labels: list[str], result: Result, kinds: list[str]) -> None:
        """Take a labelled group; plain lists, because single elements of arrays are slow."""
        text = result.batch.text
        self.data, self.labels, self.kinds = text.data.tobytes(), labels, kinds
        self.start, self.next, self.full = text.start.tolist(), text.next.tolist(), result.batch.full.tolist()
        self.row = (np.cumsum(result.batch.full) - 1).tolist()
        self.codes, self.top = result.codes.tolist(), result.probabilities.max(axis=1, initial=0).tolist()

    def raw(self, at: int) -> bytes:
        """Return a line of the group by its place, empty if it is blank."""
        return self.data[self.start[at] : self.next[at]] if self.full[at] else b""

    def line(self, at: int, number: int) -> Line:
        """Return a line of the group by its place, under its number in the document."""
        raw = self.data[self.start[at] : self.next[at]]
        if not self.full[at]:
            return Line(number, BLANK, "", 1.0, raw)
        row = self.row[at]
        label = self.labels[self.codes[row]]
        return Line(number, label, self.kinds[row], self.top[row], raw)


def joined(parts: list[Outcome]) -> Outcome:
    """Put the pieces of a document together."""
    if len(parts) == 1:
        return parts[0]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("numbers", "codes", "probabilities", "words", "kept")  # the arrays
    }
    cleaned = b"".join(part.cleaned for part in parts)
    lists: dict[str, Any] = {
        name: [one for part in parts for one in getattr(part, name)]
        for name in ("gone", "removed", "extracts", "kinds")
    }
    return Outcome(cleaned, **lists, **arrays)


def with_rules(outcome: Outcome, gone: dict[int, bytes], full: bool) -> Outcome:
    """Add the lines that a rule took out to those removed, in order."""
    outcome.gone += [raw if raw.strip() else b"" for raw in gone.values()]
    if gone and full:
        lines = [Line(number, RULE if raw.strip() else BLANK, "", 1.0, raw) for number, raw in gone.items()]
        outcome.removed = sorted([*outcome.removed, *lines])
    return outcome
