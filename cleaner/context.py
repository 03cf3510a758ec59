"""Context features: the neighbours of a line and its document, as the first pass sees them.

The draft head sees all of it; the final head has better probabilities of the neighbours (`second_pass.py`) and
sees of these features only what those do not replace.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from cleaner.features import LINE_FEATURES, Batch, line_hashes
from cleaner.native import call
from cleaner.scratch import empty

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Words = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]
Bytes = npt.NDArray[np.uint8]
NEAR, FAR = 2, 4
WINDOWS = (3, 8, 20)
SHARED = 8  # columns of shared_words
#: Columns of what needs whole documents, but for those of the labels; see :func:`whole`.
WHOLE = SHARED + 2 + 9 + 4 * len(WINDOWS) + 4
RARITIES, RAREST = 65536, 123  # words that share a place are alike rare; `model_files.are_numbers` takes no larger ones
WORD_COLUMNS = 8  # what is known of a word of the document; see word_kernels.py
#: Columns of the shape features that the head also sees of the near neighbours (log characters, mean
#: word length, capitals, digits, ended, blank before).
NEIGHBOUR_COLUMNS = [0, 2, 3, 4, 8, 13]


def width(labels: int, columns: int) -> tuple[int, int]:
    """Return how many context features the draft head and the final head see, with so many labels and text columns."""
    near = 2 * NEAR * (labels + len(NEIGHBOUR_COLUMNS) + columns)
    far = 2 * (FAR - NEAR) * (labels + 1)
    both = WHOLE + labels
    return both + near + far, both + 2 * NEAR * len(NEIGHBOUR_COLUMNS)


class Borders:
    """First line of the document that each line is in, and the first line after it; room that documents need."""

    def __init__(self, batch: Batch) -> None:
        self.begin, self.end = empty("borders", (2, len(batch)), np.int64)
        largest = call("borders", batch.document, batch.tokens.first, self.begin, self.end)
        self.room = 1 << max(2 * largest - 1, 15).bit_length()  # of a hash table for the words of any document


class Context:
    """The context of a batch as the first pass sees it; what needs whole documents is computed at once."""

    def __init__(self, batch: Batch, lines: Floats, probability: Floats, labels: Ints, rarity: Bytes) -> None:
        """Look at the documents.

        ``lines`` [lines, text sums and shape] are what the first pass saw, ``probability`` [lines, labels] what
        it said, ``labels`` the numbers of body, headline and junk, -1 for one that the model does not have;
        ``rarity`` is that of :func:`rarities`.
        """
        self.batch, self.borders = batch, (borders := Borders(batch))
        shape, count = lines.shape[1] - LINE_FEATURES, probability.shape[1]
        columns = np.array([*(shape + column for column in NEIGHBOUR_COLUMNS), *range(shape // 3)])
        beside = empty("beside", (len(batch), count + len(columns)), np.float32)
        call("shown", lines, probability, columns, beside)
        reach = np.array([NEAR, FAR, count + 1, SHARED + 2, count + len(NEIGHBOUR_COLUMNS)])
        found, self.words = whole(batch, borders, probability, labels, rarity)
        self.labels = labels
        #: What kernels that fill rows want to know first.
        self.arrays = (lines, probability, found, beside, borders.begin, borders.end, reach)
        self.width = lines.shape[1] + count + width(count, shape // 3)[0]

    def rows(self, part: slice) -> Floats:
        """Return what the draft head sees of some lines, [lines, features]."""
        start, stop, _ = part.indices(len(self.borders.begin))
        out = np.empty((stop - start, self.width), np.float32)
        call("draft_rows", *self.arrays, start, out)
        return out


def whole(batch: Batch, borders: Borders, probability: Floats, labels: Ints, rarity: Bytes) -> tuple[Floats, Words]:
    """Return what needs whole documents: shared words, the headline, the document, windows, the way to sure lines.

    And the numbers in the document of each line's content words and how rare they are, which begin where its tokens do;
    how many it has; and the first line of the same words, -1 where no other has them.
    """
    lines, count = probability.shape
    out = empty("whole", (lines, WHOLE + count), np.float32)
    title = empty("title", lines, np.int64)
    call("titles", probability, int(labels[1]), borders.begin, borders.end, title)
    t, room = batch.tokens, borders.room
    table = (
        empty("keys", room, np.int64),
        empty("slots", (room, WORD_COLUMNS), np.int32),
        empty("places", room, np.int32),
    )
    words = empty("numbers", len(t.word), np.int32), empty("sizes", lines, np.int32), empty("same", lines, np.int32)
    about = (borders.end, line_hashes(t), probability, labels, title)
    call("shared_words", t.word, t.shape, t.length, t.first, *about, *table, rarity, *words, out)
    sums, _ = running(borders, probability, "first pass")
    mass = empty("mass", (lines + 1, 3), np.float64)
    places = (borders.begin, borders.end, title)
    call("context", probability, batch.counts, labels, *places, np.array(WINDOWS), sums, mass, out)
    return out, words


def running(borders: Borders, values: Floats, what: str) -> tuple[npt.NDArray[np.float64], Floats]:
    """Return running sums [lines + 1, columns], and each document's largest values in the row of its first line."""
    lines, columns = values.shape
    sums, most = (
        empty(f"sums of {what}", (lines + 1, columns), np.float64),
        empty(f"most of {what}", (lines, columns), np.float32),
    )
    call("running", values, borders.begin, sums, most)
    return sums, most


def rarities(batches: Iterable[Batch]) -> Bytes:
    """Return how rare words are in some texts, uint8 [RARITIES]; `word_kernels.rarity_row` says where.

    In eighths the logarithm of how many texts there are for each that has the word, or another of the same place. Words
    that none has are as rare as the rarest: few texts make no word rarer than all that a head has been fitted on.
    """
    having, documents = np.zeros(RARITIES, np.int64), 0
    for batch in batches:
        t, last = batch.tokens, np.full(RARITIES, -1, np.int64)
        places = np.empty(len(t.word) + 1, np.int32)
        documents += call("count_texts", t.word, t.shape, t.length, t.first, batch.document, places, last, having)
    having = np.maximum(having, having[having > 0].min(initial=documents))
    eighths = np.rint(8 * np.log(documents / (1 + having)))
    return np.asarray(np.clip(eighths, 1, RAREST), np.uint8)
