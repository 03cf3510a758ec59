"""Context features: the neighbours of a line and its document, as the first pass sees them.

The draft head sees all of it (:meth:`Context.rows`); the final head has better probabilities of the neighbours
(`second_pass.py`) and sees of these features only what those do not replace (:meth:`Context.lean_rows`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cleaner.features import Batch, line_hashes
from cleaner.native import call

__all__ = ["Borders", "Context", "FirstPass", "width"]

Floats = npt.NDArray[np.float32]
NEAR, FAR = 2, 4
WINDOWS = (3, 8, 20)
SHARED = 8  # columns of shared_words
#: Columns of the shape features that the head also sees of the near neighbours (log characters, mean
#: word length, capitals, digits, ended, blank before).
NEIGHBOUR_COLUMNS = [0, 2, 3, 4, 8, 13]


def width(labels: int, columns: int) -> tuple[int, int]:
    """Return how many context features the draft head and the final head see, with so many labels and text columns."""
    near = 2 * NEAR * (labels + len(NEIGHBOUR_COLUMNS) + columns)
    far = 2 * (FAR - NEAR) * (labels + 1)
    both = SHARED + 2 + 9 + 4 * len(WINDOWS) + 4 + labels
    return both + near + far, both + 2 * NEAR * len(NEIGHBOUR_COLUMNS)


@dataclass(frozen=True)
class FirstPass:
    """What is known of the lines before context: shape, probabilities, and the columns that matter."""

    shape: Floats  # [lines, shape features]
    scores: Floats  # [lines, columns of the text table]
    probability: Floats  # [lines, labels]
    body: int
    headline: int  # -1: the model has no such label


class Borders:
    """First and last line of the document that each line is in."""

    def __init__(self, document: npt.NDArray[np.int64]) -> None:
        lines = len(document)
        new = np.ones(lines, np.bool_)
        new[1:] = document[1:] != document[:-1]
        self.begins = np.flatnonzero(new)
        self.sizes = np.diff(np.append(self.begins, lines))
        self.begin = np.repeat(self.begins, self.sizes)
        self.end = np.repeat(self.begins + self.sizes, self.sizes)
        self.line = np.arange(lines)

    def spread(self, values: Floats) -> Floats:
        """Repeat one value a document for each of its lines."""
        return np.repeat(values, self.sizes, axis=0)

    def window(self, values: Floats, radius: int) -> Floats:
        """Sum values over the lines at most ``radius`` away, inside the document."""
        sums = np.zeros((len(values) + 1, *values.shape[1:]), np.float64)
        np.cumsum(values, axis=0, out=sums[1:])
        low = np.maximum(self.line - radius, self.begin)
        high = np.minimum(self.line + radius + 1, self.end)
        return (sums[high] - sums[low]).astype(np.float32)

    def shift(self, values: Floats, by: int, part: slice) -> Floats:
        """Return for some lines the values of the line ``by`` further on, 0 outside the document."""
        target = self.line[part] + by
        inside = (target >= self.begin[part]) & (target < self.end[part])
        out: Floats = values[np.where(inside, target, 0)]
        out[~inside] = 0
        return out


def distances(borders: Borders, sure: npt.NDArray[np.bool_]) -> list[Floats]:
    """Return log distances to the sure lines: the previous, the next, the first and the last of the document."""
    line = borders.line
    previous = np.maximum.accumulate(np.where(sure, line, -1))
    following = np.minimum.accumulate(np.where(sure, line, len(line))[::-1])[::-1]
    first = following[borders.begin] if len(line) else line
    last = previous[borders.end - 1] if len(line) else line
    out = []
    for target in (previous, following, first, last):
        inside = (target >= borders.begin) & (target < borders.end)
        gap = np.where(inside, line - target, 0)
        value = np.sign(gap) * np.log1p(np.abs(gap))
        out.append(np.where(inside, value, 6).astype(np.float32))
    return out


def document_features(borders: Borders, first: FirstPass) -> Floats:
    """Return what the document as a whole says of each line."""
    body = first.probability[:, first.body]
    words = np.expm1(first.shape[:, 1]) + 1
    mass = np.stack([body * words, words, body, np.ones_like(body)], axis=1)
    sums = np.zeros((len(body) + 1, 4), np.float64)
    np.cumsum(mass, axis=0, out=sums[1:])
    total = (sums[borders.end] - sums[borders.begin]).astype(np.float32)
    before = (sums[:-1] - sums[borders.begin]).astype(np.float32)
    columns = [
        before[:, 0] / (total[:, 0] + 1e-3),
        before[:, 3] / total[:, 3],
        np.log1p(before[:, 3]),
        np.log1p(total[:, 3] - before[:, 3]),
        np.log1p(total[:, 3]),
        np.log1p(total[:, 1]),
        np.log1p(total[:, 0]),
        total[:, 0] / total[:, 1],
        total[:, 2] / total[:, 3],
    ]
    for radius in WINDOWS:
        near = borders.window(mass, radius)
        density = near[:, 0] / near[:, 1]
        best = np.maximum.reduceat(density, borders.begins) if len(body) else density
        columns += [density, density / (borders.spread(best) + 1e-3), np.log1p(near[:, 0]), near[:, 2] / near[:, 3]]
    mean = borders.window(first.probability, WINDOWS[0]) / borders.window(np.ones_like(body), WINDOWS[0])[:, None]
    columns += distances(borders, body > 0.5)
    return np.concatenate([np.stack(columns, axis=1), mean], axis=1).astype(np.float32)


def title_line(borders: Borders, first: FirstPass) -> npt.NDArray[np.int64]:
    """Return for each line the number of its document's likeliest headline."""
    if first.headline < 0 or not len(borders.line):
        return borders.begin.astype(np.int64)
    score = first.probability[:, first.headline]
    best = borders.spread(np.maximum.reduceat(score, borders.begins))
    place = np.where(score >= best, borders.line, len(score))
    return np.minimum.reduceat(place, borders.begins).repeat(borders.sizes).astype(np.int64)


def shared_words(batch: Batch, borders: Borders, body: Floats, title: npt.NDArray[np.int64]) -> Floats:
    """Return what the words of every line share with the rest of its document, [lines, SHARED]."""
    t = batch.tokens
    out = np.zeros((len(batch), SHARED), np.float32)
    ends = borders.begins + borders.sizes
    needed = 2 * (t.first[ends] - t.first[borders.begins] + borders.sizes)
    room = 1 << max(int(needed.max(initial=16)) - 1, 15).bit_length()
    keys, last = np.empty(room, np.int64), np.empty(room, np.int64)
    counts, bodies, flags = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.uint8)
    likely = np.ascontiguousarray(body)
    arrays = (batch.document, line_hashes(t), likely, title, keys, counts, bodies, flags, last, out)
    call("shared_words", t.word, t.shape, t.length, t.first, *arrays)
    out[:, 7] = np.log(np.maximum(out[:, 7], 1))
    return out


class Context:
    """The context features of a batch; what needs whole documents is computed once, the rest by pieces."""

    def __init__(self, batch: Batch, first: FirstPass) -> None:
        """Look at the documents as the first pass sees them."""
        self.borders = borders = Borders(batch.document)
        title = title_line(borders, first)
        gap = (borders.line - title).astype(np.float32)
        candidate = first.probability[:, first.headline] if first.headline >= 0 else np.zeros_like(gap)
        relative = candidate / (candidate[title] + 1e-3) if len(title) else candidate
        self.whole = [
            shared_words(batch, borders, first.probability[:, first.body], title),
            np.stack([np.sign(gap) * np.log1p(np.abs(gap)), relative], axis=1),
        ]
        self.document = document_features(borders, first)
        self.shape = first.shape[:, NEIGHBOUR_COLUMNS]
        self.near = np.concatenate([first.probability, self.shape, first.scores], axis=1)
        self.far = np.ascontiguousarray(self.near[:, : first.probability.shape[1] + 1])

    def rows(self, part: slice) -> list[Floats]:
        """Return the context features of some lines for the draft head, as blocks of columns."""
        blocks = [block[part] for block in self.whole]
        for by in range(1, FAR + 1):
            values = self.near if by <= NEAR else self.far
            blocks += [self.borders.shift(values, by, part), self.borders.shift(values, -by, part)]
        return [*blocks, self.document[part]]

    def lean_rows(self, part: slice) -> list[Floats]:
        """Return the context features of some lines for the final head, as blocks of columns."""
        blocks = [block[part] for block in self.whole]
        for by in range(1, NEAR + 1):
            blocks += [self.borders.shift(self.shape, by, part), self.borders.shift(self.shape, -by, part)]
        return [*blocks, self.document[part]]
