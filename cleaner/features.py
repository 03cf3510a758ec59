"""Lines of whole documents to arrays: what the classifier sees.

Three groups, all float32, one row a non-blank line:

* *text*: sums of the rows of the text table that the line's n-grams hash to (word, bigram, shape
  trigram, prefix, suffix, the short line as a whole), over the line, its first and its last tokens; what
  the columns are, `text_columns.py` says;
* *shape*: lengths, shares of character and token classes, patterns, first and last token, blank lines, how long
  sentences and the parts between commas are, how many dates, times and white space;
* *context*: what the first pass makes of the neighbours and of the document, and what words the line
  shares with them.

Tried and kept: the longest sentence and part of one, white space, and counts of dates and times (the last eight columns
of *shape*), which tell a list of headlines joined in one line from a paragraph. Final head of one network, mean of six
seeds, on real pages of unseen sites: log loss .0849 instead of .0857 (better with five of the six), by words .0749
instead of .0767, average precision of headlines .925 instead of .921; a small draft head alone, one run: .1120 instead
of .1123 (`ablations.py features`).

Tried and dropped, by F1 on real pages of unseen sites: how many lines of the document have the same token
shapes (body .958 without, .957 with; captions .523 and .516, bylines .760 and .759).

Tried and kept: 2^19 rows of the text table. With 2^14, 2^16, 2^17, 2^18, 2^19 and 2^20 rows a small head has a log loss
of .1228, .1145, .1133, .1120, .1123 and .1098, and .785, .802, .805, .809, .809 and .808 for the mean of the labels;
the whole model is better with 2^19 than with 2^18 (CHANGELOG, "Tried"). Weights stored in 16 bits lose nothing, in 8
bits .001 (`ablations.py tables`; drawn in `tables.svg`).

The first pass is a softmax over text and shape; the draft head sees all three groups, the final head what the draft
says besides (`second_pass.py`). `tests/benchmarks/ablations.py` leaves each group out in turn: a small draft head has a
log loss of .1120 with all, of .1396 without document and windows, .1276 without the words shared with the document,
.1188 without the nearest neighbours, .1160 without shape, .1150 without text sums, .1144 without the neighbours at
three and four lines, and hardly another without the first pass; with 16, 32 and 128 hidden units instead of 48 it is
.1216, .1151 and .1153. `VERSION` goes into the model card: a model made by other features is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cleaner import alphabet as a
from cleaner.native import call
from cleaner.scratch import empty

VERSION = 6
EDGE_TOKENS = 4
LINE_FEATURES = 72  # columns of line_features
CHUNK_LINES = 512
GRAMS = 5  # table rows a token, at most; the line adds one
LANES = 16  # columns that are added at once; the table's rows are padded to a multiple
BLOCK = 512  # tokens whose table rows are computed before any is summed, to stay in the first cache
Floats = npt.NDArray[np.float32]

ENDS = {
    a.TERMINAL: ".。।؟۔…",
    a.QUESTION: "?!？！",
    a.COMMA: ",;،、，；",
    a.COLON: ":：",
    a.DASH: "-–—―−",
    a.BAR: "|¦›»‹«>→<",
    a.SLASH: "/\\",
    a.OPEN: "([{【（［〔",
    a.CLOSE: ")]}】）］〕",
    a.QUOTE: "\"'‘’“”„‚「」『』《》",
    a.COPYRIGHT: "©®™",
    a.AT: "@#",
    a.BULLET: "•·●■▪▸►*◆▼▲★☆",
    a.CURRENCY: "$€£¥₹%‰+=",
}


class Text(NamedTuple):
    """UTF-8 bytes of a batch and all its lines, as byte offsets."""

    data: npt.NDArray[np.uint8]
    start: npt.NDArray[np.int64]  # [lines]
    end: npt.NDArray[np.int64]  # [lines], before the line's ending
    next: npt.NDArray[np.int64]  # [lines], after it
    document: npt.NDArray[np.int64]  # [lines], number of the document that the line is in


class Tokens(NamedTuple):
    """Words, CJK characters and punctuation marks; line ``i`` has ``first[i]:first[i + 1]``."""

    word: npt.NDArray[np.int64]  # hash of the case-folded word, digits as 0
    prefix: npt.NDArray[np.int64]  # hash of its first characters, 0 for short words
    suffix: npt.NDArray[np.int64]  # hash of its last three characters, 0 for short words
    shape: npt.NDArray[np.uint8]  # see alphabet.py
    length: npt.NDArray[np.int32]  # characters
    first: npt.NDArray[np.int64]  # [lines + 1]


@dataclass(frozen=True)
class Batch:
    """Documents as arrays; ``full`` tells which lines are not blank, the rest is about those alone."""

    text: Text
    full: npt.NDArray[np.bool_]
    tokens: Tokens
    counts: npt.NDArray[np.int32]  # [lines, COUNTS]; see alphabet.py
    document: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.document)

    def words(self) -> npt.NDArray[np.int64]:
        """Return the number of words of every line, at least 1; in text without spaces, of characters."""
        return np.maximum(self.counts[:, a.WORDS], 1).astype(np.int64)

    def parts(self) -> Iterator[slice]:
        """Return the lines in pieces of :data:`CHUNK_LINES`, whatever the documents: small arrays stay in cache."""
        for begin in range(0, len(self), CHUNK_LINES):
            yield slice(begin, min(begin + CHUNK_LINES, len(self)))


@cache
def unicode_tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]:
    """Return class and case-folded form of every code point below 65,536, from Python's own tables.

    They travel in the model's arrays, so that a later Unicode does not change its features.
    """
    import unicodedata

    classes = np.full(65536, a.OTHER, np.uint8)
    folded = np.arange(65536, dtype=np.uint16)
    for code in range(65536):
        char = chr(code)
        category = unicodedata.category(char)
        if char.isspace() or char in "\u200b\ufeff":
            classes[code] = a.SPACE
        elif ideograph(code):
            classes[code] = a.CJK
        elif category[0] == "L":
            classes[code] = a.UPPER if category in ("Lu", "Lt") else a.LOWER
            if category in ("Lo", "Lm"):
                classes[code] = a.UNCASED
            lower = char.lower()
            folded[code] = ord(lower) if len(lower) == 1 and ord(lower) < 65536 else code
        elif category == "Nd":
            classes[code] = a.DIGIT
        elif category[0] == "M" or category == "Cf":
            classes[code] = a.JOINER
    for class_, chars in ENDS.items():
        for char in chars:
            classes[ord(char)] = class_
    return classes, folded


def ideograph(code: int) -> bool:
    """Tell whether a code point belongs to a script that is written without spaces."""
    han = 0x3400 <= code < 0xA000 or 0xF900 <= code < 0xFB00
    kana = 0x3040 <= code < 0x3100 or 0x31F0 <= code < 0x3200 or 0xFF66 <= code < 0xFF9E
    return han or kana or 0x0E00 <= code < 0x0F00 or 0x1780 <= code < 0x1800


def character_table(classes: npt.NDArray[np.uint8], folded: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint32]:
    """Return class and case-folded form of every code point as one number, digits folded to 0."""
    letter = np.where(classes == a.DIGIT, ord("0"), folded).astype(np.uint32)
    return np.asarray(letter << 8 | classes, np.uint32)


def find_lines(data: npt.NDArray[np.uint8], documents: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Return start, end, start of the next and document of every line."""
    room, count = len(data) // 16 + 16, 0
    while True:
        found = [empty(name, room, np.int64) for name in ("start", "end", "next", "inside")]
        count = call("find_lines", data, documents, *found)
        if count <= room:
            return [array[:count] for array in found]
        room *= 4


def read_batch(documents: Sequence[bytes], characters: npt.NDArray[np.uint32]) -> Batch:
    """Cut UTF-8 documents into lines and tokens, by a :func:`character_table`."""
    data = np.frombuffer(b"".join(documents), np.uint8)
    borders = np.zeros(len(documents) + 1, np.int64)
    np.cumsum([len(document) for document in documents], out=borders[1:])
    start, end, after, document = find_lines(data, borders)
    lines, room = len(start), len(data)
    word, prefix, suffix = (empty(name, room, np.int64) for name in ("word", "prefix", "suffix"))
    shape, length, first = (
        empty("shape", room, np.uint8),
        empty("length", room, np.int32),
        empty("first", lines + 1, np.int64),
    )
    counts, inside, full = (
        empty("counts", (lines + 1, a.COUNTS), np.int32),
        empty("document", lines, np.int64),
        empty("full", lines, np.bool_),
    )
    arrays = (word, prefix, suffix, shape, length, first, counts, inside, full.view(np.uint8))
    rows = call("tokenise", data, start, end, document, characters, *arrays)
    used = first[rows]
    tokens = Tokens(word[:used], prefix[:used], suffix[:used], shape[:used], length[:used], first[: rows + 1])
    return Batch(Text(data, start, end, after, document), full, tokens, counts[:rows], inside[:rows])


class Table(NamedTuple):
    """The text table as the kernels want it: rows that the processor adds in one go."""

    weights: npt.NDArray[np.int16]  # [rows + 1, a multiple of LANES]; the last row is zero, the last column counts
    scale: Floats  # [columns]


def packed(table: npt.NDArray[np.floating[Any]]) -> Table:
    """Return a text table [rows, columns] as 16-bit integers with a scale for each column."""
    rows, columns = table.shape
    scale = np.empty(columns, np.float32)
    weights = np.zeros((rows + 1, (columns // LANES + 1) * LANES), np.int16)
    call("pack", np.ascontiguousarray(table, np.float32), scale, weights)
    return Table(weights, scale)


def text_scores(tokens: Tokens, table: Table, out: Floats | None = None) -> Floats:
    """Return the table sums of every line, [lines, 3 * columns]; written into the first columns of ``out`` if given."""
    if out is None:
        out = np.empty((len(tokens.first) - 1, 3 * len(table.scale)), np.float32)
    t, rows = tokens, np.empty((GRAMS, BLOCK), np.int32)
    sums = np.empty((3, table.weights.shape[1]), np.float32)
    call("gram_scores", t.word, t.prefix, t.suffix, t.shape, t.first, *table, EDGE_TOKENS, rows, sums, out)
    return out


def gram_rows(tokens: Tokens, rows: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the table rows that each line's n-grams hash to, as indices and offsets of sparse rows."""
    t, scratch = tokens, np.empty((GRAMS, 1), np.int32)
    indices = np.empty(len(t.word) * GRAMS + len(t.first), np.int32)
    offsets = np.zeros(len(t.first), np.int64)
    used = call("gram_indices", t.word, t.prefix, t.suffix, t.shape, t.first, rows - 1, scratch, indices, offsets)
    return indices[:used], offsets


def line_hashes(tokens: Tokens) -> npt.NDArray[np.int64]:
    """Return a hash of every line's words, digits folded; 0 for a line without tokens."""
    out = empty("line hashes", len(tokens.first) - 1, np.int64)
    call("line_hashes", tokens.word, tokens.first, out)
    return out


WORD_GROUPS = [(1, 2), (3,), (4, 5), (6, 7, 8, 9, 10), (11, 12)]
FIRST_GROUPS = [*WORD_GROUPS, (20,), (22,), (17, 25), (18, 19), (23, 24)]
LAST_GROUPS = [*WORD_GROUPS, (13,), (14,), (15,), (16,), (21,), (22,), (18, 19, 25)]


@cache
def logs() -> Floats:
    """Return log(1 + n) for counts that are looked up rather than computed."""
    return np.log1p(np.arange(1024)).astype(np.float32)


@cache
def end_groups() -> npt.NDArray[np.uint8]:
    """Return for first and last tokens the column of the shape features that each token shape has, or 0."""
    columns = np.zeros((2, a.CLASSES), np.uint8)
    for row, groups, before in ((0, FIRST_GROUPS, 42), (1, LAST_GROUPS, 52)):
        for column, group in enumerate(groups, before):
            columns[row, list(group)] = column
    return columns


def line_features(batch: Batch, out: Floats | None = None, column: int = 0) -> Floats:
    """Return the shape features of every line, from its characters and tokens alone.

    They are written into ``out`` from a column on, if it is given.
    """
    if out is None:
        out = np.empty((len(batch), LINE_FEATURES), np.float32)
    t, tally = batch.tokens, np.empty(a.CLASSES, np.int32)
    call("line_features", t.shape, t.length, t.first, batch.counts, end_groups(), logs(), tally, out, column)
    return out
