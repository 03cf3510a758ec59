"""What cleaning did to each document of a group: its text, its lines, what went and why.

The documents are grouped and cut as :meth:`cleaner.cleaning.Cleaner.clean_bytes` does, so the text is the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleaner.alphabet import WORDS
from cleaner.cleaning import Cleaner, Result
from cleaner.grouping import batches, pieces
from cleaner.labels import BLANK, BODY, RULE
from cleaner.lines import MARK
from cleaner.native import call
from cleaner.rules import Applied, Rules
from cleaner.scratch import empty

#: Different removed lines that are counted of a group at most, the most frequent ones, and how long they may be, bytes.
MOST, LONGEST = 200, 200
#: A line whose likeliest label has less than this is uncertain.
SURE = 0.8


class Sums(NamedTuple):
    """Words of a document: all, kept, expected to be body, on uncertain lines; and lines that went, blank ones too."""

    words: int
    kept: int
    body: float
    uncertain: int
    gone: int


class Labelled(NamedTuple):
    """The lines of a document that are not blank, [lines]."""

    numbers: npt.NDArray[np.int64]  # in the document, from 1, blank lines counted
    codes: npt.NDArray[np.int64]
    shares: npt.NDArray[np.float32]  # the probability of the label
    kinds: npt.NDArray[np.int64]  # the number of the kind of junk, -1 where the model does not say


class Line(NamedTuple):
    """A line of a document: ``data`` with its ending; ``probability`` is that of its label."""

    number: int  # in the document, from 1, blank lines counted
    label: str
    kind: str
    probability: float
    data: bytes


@dataclass
class Outcome:
    """A cleaned document, and of its lines what was asked for."""

    cleaned: bytes
    gone: int  # lines that went, blank ones too
    sums: Sums
    dropped: int = 0  # words that a rule took out, which are in none of the sums
    removed: list[Line] = field(default_factory=list)  # the lines that went
    extracts: list[tuple[str, bytes]] = field(default_factory=list)  # label and line, of the labels asked for
    labelled: list[Labelled] = field(default_factory=list)  # one for each piece of the document


@dataclass(frozen=True)
class How:
    """The user's rules, the labels whose lines are collected, whether removed lines and all labels are told in full.

    ``lost`` counts frequent removed lines, with their endings; ``counts`` lines and words by label, kinds of removed
    junk.
    """

    rules: Rules
    extract: frozenset[str] = frozenset()
    full: bool = False
    labels: bool = False
    lost: Counter[bytes] = field(default_factory=Counter)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def shifted(one: Applied, by: int) -> Applied:
    """Count the lines of a document that comes in pieces from its start."""
    text, numbers, gone, stay = one
    return text, [n + by for n in numbers], {n + by: raw for n, raw in gone.items()}, {n + by for n in stay}


def outcomes(cleaner: Cleaner, documents: list[bytes], how: How, begin: int = 0) -> Iterator[Outcome]:
    """Clean UTF-8 documents; yields one outcome each, in order.

    ``begin`` lines of the first document have gone before, for one that comes in pieces.
    """
    applied = [shifted(how.rules.apply(document), begin) for document in documents] if how.rules else []
    dropped = dropped_words(cleaner, [one[2] for one in applied])
    marks = [b"" if not applied or document.startswith(MARK) else MARK for document in documents]
    texts = [mark + one[0] for mark, one in zip(marks, applied, strict=True)] if applied else documents
    parts = (piece for text in texts for piece in pieces(text))
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
                whole = joined(waiting)
                whole.cleaned = whole.cleaned.removeprefix(marks[index])  # else it would be that of what a rule left
                if applied:
                    whole.dropped = dropped[index]
                    whole = with_rules(whole, applied[index][2], how)
                yield with_mark(whole, documents[index])
                waiting, index = [], index + 1


def dropped_words(cleaner: Cleaner, gone: list[dict[int, bytes]]) -> list[int]:
    """Return how many words a rule took out of each document, counted as those that are left are."""
    out, index = [0] * len(gone), 0
    for group in batches(piece for lines in gone for piece in pieces(b"".join(lines.values()))):
        batch = cleaner.model.read([data for data, _ in group])
        words = np.bincount(batch.document, batch.counts[:, WORDS], len(group))
        for count, (_, last) in zip(words.tolist(), group, strict=True):
            out[index] += int(count)
            index += last
    return out


def with_mark(outcome: Outcome, document: bytes) -> Outcome:
    """Put a document's byte order mark before its first line, if that was removed.

    Else a mark that the next line begins with could not be told from it in what was kept.
    """
    if outcome.removed and outcome.removed[0].number == 1 and document.startswith(MARK):
        outcome.removed[0] = outcome.removed[0]._replace(data=MARK + outcome.removed[0].data)
    return outcome


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
    cleaned, result, keep = cleaner.examine([data for data, _ in group], force, kinds=True)
    kinds, how = cleaner.kind_codes(result), rest.how
    sums = add_up(cleaner, result, keep, kinds, rest)
    lines = Lines(cleaner, result) if how.full or how.extract else None
    borders = np.searchsorted(result.batch.text.document, np.arange(len(group) + 1)).tolist()
    rows = np.searchsorted(result.batch.document, np.arange(len(group) + 1)).tolist() if how.labels else []
    for index, (begin, end) in enumerate(pairwise(borders)):
        outcome = Outcome(cleaned[index], sums[index].gone, sums[index])
        if how.full or how.labels:
            numbers = np.arange(rest.starts[index] + 1, rest.starts[index] + 1 + end - begin)
            if rest.places[index]:
                numbers = np.asarray(rest.places[index], np.int64)[numbers - 1]
        if how.labels:
            part, full = slice(rows[index], rows[index + 1]), result.batch.full[begin:end]
            shares = result.probabilities[part][np.arange(part.stop - part.start), result.codes[part]]
            outcome.labelled = [Labelled(numbers[full], result.codes[part], shares, kinds[part])]
        if lines and how.full:
            went = np.flatnonzero(~keep[begin:end])
            outcome.removed = [lines.line(begin + at, int(numbers[at])) for at in went.tolist()]
        if lines and how.extract:
            found = [lines.line(at, 0) for at in range(begin, end)]
            outcome.extracts = [(one.label, one.data) for one in found if one.label in how.extract]
        yield outcome


def add_up(
    cleaner: Cleaner, result: Result, keep: npt.NDArray[np.bool_], kinds: npt.NDArray[np.int64], rest: Rest
) -> list[Sums]:
    """Count labels, kinds and frequent removed lines of a group, and return the sums of its pieces."""
    model, batch, how = cleaner.model, result.batch, rest.how
    full, kept = batch.full.view(np.uint8), keep.view(np.uint8)
    sums, sure = np.zeros((len(rest.starts), len(Sums._fields))), np.array([SURE], np.float32)
    labels, of_kinds = np.zeros((len(model.labels), 2), np.int64), np.zeros(len(model.kinds) + 1, np.int64)
    lines = (full, batch.text.document, kept, batch.counts, result.probabilities, result.codes, kinds)
    gone = call("totals", *lines, model.labels.index(BODY), sure, sums, labels, of_kinds)
    for name, names, numbers in (
        ("lines", model.labels, labels[:, 0]),
        ("words", model.labels, labels[:, 1]),
        ("kinds", model.kinds, of_kinds[:-1]),
    ):
        how.counts[name].update(dict(zip(names, numbers.tolist(), strict=True)))
    count_lost(result, kept, gone, how.lost)
    return [Sums(int(words), int(most), body, int(some), int(went)) for words, most, body, some, went in sums.tolist()]


def count_lost(result: Result, kept: npt.NDArray[np.uint8], gone: int, lost: Counter[bytes]) -> None:
    """Count the frequent ones of the ``gone`` lines that went and are not blank.

    Only these become Python objects.
    """
    text, size = result.batch.text, 1 << (2 * gone).bit_length()
    keys, slots = empty("lost", size, np.int64), empty("slots of lost", size, np.int64)
    first, counts = empty("first lost", gone, np.int64), empty("times lost", gone, np.int64)
    keys[:] = 0
    lines = (text.data, text.start, text.end, text.next, result.batch.full.view(np.uint8), kept)
    found = call("tally", *lines, LONGEST, keys, slots, first, counts)
    small = np.minimum(counts[:found], np.iinfo(np.int16).max).astype(np.int16)  # sorted much faster
    often = np.argsort(-small, kind="stable")[:MOST]
    chosen, data = first[often], memoryview(text.data.data)
    columns = (text.start[chosen], text.next[chosen], counts[often])
    for begin, end, count in zip(*(one.tolist() for one in columns), strict=True):
        lost[bytes(data[begin:end])] += count


class Lines:
    """The lines of a group, one at a time."""

    def __init__(self, cleaner: Cleaner, result: Result) -> None:
        """Take a labelled group; plain lists, because single elements of arrays are slow."""
        text = result.batch.text
        self.data, self.labels, self.kinds = text.data.tobytes(), cleaner.model.labels, cleaner.kinds_of(result)
        self.start, self.next, self.full = text.start.tolist(), text.next.tolist(), result.batch.full.tolist()
        self.row = (np.cumsum(result.batch.full) - 1).tolist()
        self.codes = result.codes.tolist()
        self.shares = result.probabilities[np.arange(len(result.codes)), result.codes].tolist()

    def line(self, at: int, number: int) -> Line:
        """Return a line of the group by its place, under its number in the document."""
        raw = self.data[self.start[at] : self.next[at]]
        if not self.full[at]:
            return Line(number, BLANK, "", 1.0, raw)
        row = self.row[at]
        label = self.labels[self.codes[row]]
        return Line(number, label, self.kinds[row], self.shares[row], raw)


def joined(parts: list[Outcome]) -> Outcome:
    """Put the pieces of a document together."""
    if len(parts) == 1:
        return parts[0]
    cleaned = b"".join(part.cleaned for part in parts)
    lists: dict[str, Any] = {
        name: [one for part in parts for one in getattr(part, name)] for name in ("removed", "extracts", "labelled")
    }
    sums = Sums(*map(sum, zip(*(part.sums for part in parts), strict=True)))
    return Outcome(cleaned, sums.gone, sums, **lists)


def with_rules(outcome: Outcome, gone: dict[int, bytes], how: How) -> Outcome:
    """Add the lines that a rule took out to those removed, in order."""
    outcome.gone += len(gone)
    how.lost.update(raw for raw in gone.values() if raw.strip() and len(raw) <= LONGEST)
    if gone and how.full:
        lines = [Line(number, RULE if raw.strip() else BLANK, "", 1.0, raw) for number, raw in gone.items()]
        outcome.removed = sorted([*outcome.removed, *lines])
    return outcome
