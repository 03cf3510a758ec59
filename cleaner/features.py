"""Lines of whole documents to arrays: what the classifier sees.

Three groups, all float32, one row a non-blank line:

* *text*: sums of the rows of the text table that the line's n-grams hash to (word, bigram, shape
  trigram, prefix, suffix, the short line as a whole), over the line, its first and its last tokens;
* *shape*: lengths, shares of character and token classes, patterns, first and last token, blank lines;
* *context*: what the first pass makes of the neighbours and of the document, and what words the line
  shares with them.

Tried and dropped, by F1 on real pages of unseen sites: how many lines of the document have the same token
shapes (body .958 without, .957 with; captions .523 and .516, bylines .760 and .759).

Tried and kept: 2^20 rows of the text table instead of 2^18 gave captions .52 instead of .49, bylines .778
instead of .768; 2^19 fit the size that a model folder may have.

The first pass is a softmax over text and shape; the head sees everything. `VERSION` goes into the
model card: a model made by other features is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cleaner import alphabet as a
from cleaner.native import call

__all__ = [
    "LINE_FEATURES",
    "VERSION",
    "Batch",
    "Text",
    "Tokens",
    "gram_rows",
    "line_features",
    "line_hashes",
    "read_batch",
    "text_scores",
    "unicode_tables",
]

VERSION = 2
EDGE_TOKENS = 4
LINE_FEATURES = 64  # columns of line_features
CHUNK_LINES = 4096
GRAMS = 5  # table rows a token, at most; the line adds one
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
    characters: npt.NDArray[np.int32]
    document: npt.NDArray[np.int64]
    blank_before: npt.NDArray[np.bool_]
    blank_after: npt.NDArray[np.bool_]
    indented: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.document)

    def words(self) -> npt.NDArray[np.int64]:
        """Return the number of words of every line, at least 1; in text without spaces, of characters."""
        tokens = self.tokens
        sums = np.concatenate([[0], np.cumsum(tokens.shape < a.TERMINAL)])
        return np.asarray(np.maximum(sums[tokens.first[1:]] - sums[tokens.first[:-1]], 1))

    def chunks(self) -> Iterator[tuple[slice, "Batch"]]:
        """Return the batch in pieces of :data:`CHUNK_LINES`, whatever the documents: small arrays stay in cache."""
        names = ("characters", "document", "blank_before", "blank_after", "indented")
        for begin in range(0, len(self), CHUNK_LINES):
            part = slice(begin, begin + CHUNK_LINES)
            tokens = self.tokens._replace(first=self.tokens.first[begin : begin + CHUNK_LINES + 1])
            yield part, replace(self, tokens=tokens, **{name: getattr(self, name)[part] for name in names})


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
    return han or kana or 0x0E00 <= code < 0x0E80 or 0x0E80 <= code < 0x0F00 or 0x1780 <= code < 0x1800


def read_batch(documents: Sequence[bytes], tables: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint16]]) -> Batch:
    """Cut UTF-8 documents into lines and tokens."""
    data = np.frombuffer(b"".join(documents), np.uint8)
    borders = np.zeros(len(documents) + 1, np.int64)
    np.cumsum([len(document) for document in documents], out=borders[1:])
    found = np.empty((4, call("count_lines", data, borders)), np.int64)
    start, end, after, document = np.ascontiguousarray(found[:, : call("find_lines", data, borders, found)])
    text = Text(data, start, end, after, document)
    room = len(data)
    word, prefix, suffix = (np.empty(room, np.int64) for _ in range(3))
    shape, length, first = np.empty(room, np.uint8), np.empty(room, np.int32), np.empty(len(start) + 1, np.int64)
    counts = np.zeros((len(start), a.CLASSES), np.int32)
    used = call("tokenise", data, start, end, *tables, word, prefix, suffix, shape, length, first, counts)
    full = np.asarray(counts[:, 1:].any(axis=1))
    before, behind = np.zeros((2, len(full)), np.bool_)
    before[1:] = ~full[:-1] & (document[1:] == document[:-1])
    behind[:-1] = ~full[1:] & (document[1:] == document[:-1])
    first = np.append(first[:-1][full], first[-1])
    begins = start[full]
    return Batch(
        text,
        full,
        Tokens(word[:used], prefix[:used], suffix[:used], shape[:used], length[:used], first),
        counts[full],
        document[full],
        before[full],
        behind[full],
        (data[begins] == 32) | (data[begins] == 9) if len(begins) else np.zeros(0, np.bool_),
    )


def text_scores(tokens: Tokens, table: Floats) -> Floats:
    """Return the table sums of every line, [lines, 3 * columns]."""
    scores = np.zeros((len(tokens.first), 3 * table.shape[1]), np.float32)
    t = tokens
    call("gram_scores", t.word, t.prefix, t.suffix, t.shape, t.first, table, EDGE_TOKENS, scores)
    return scores[:-1]


def gram_rows(tokens: Tokens, rows: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the table rows that each line's n-grams hash to, as indices and offsets of sparse rows."""
    t = tokens
    indices = np.empty(len(t.word) * GRAMS + len(t.first), np.int32)
    offsets = np.zeros(len(t.first), np.int64)
    used = call("gram_indices", t.word, t.prefix, t.suffix, t.shape, t.first, rows - 1, indices, offsets)
    return indices[:used], offsets


def line_hashes(tokens: Tokens) -> npt.NDArray[np.int64]:
    """Return a hash of every line's words, digits folded; 0 for a line without tokens."""
    out = np.empty(len(tokens.first) - 1, np.int64)
    call("line_hashes", tokens.word, tokens.first, out)
    return out


def log1p(values: npt.NDArray[np.int32]) -> Floats:
    """Dampen counts: log(1 + n)."""
    return np.log1p(values.astype(np.float32))


def one_hot(values: npt.NDArray[np.int32], groups: Sequence[Sequence[int]]) -> Floats:
    """Return a column for each group of token shapes: 1 where the value is in it."""
    member = np.zeros((a.CLASSES, len(groups)), np.float32)
    for column, group in enumerate(groups):
        member[list(group), column] = 1
    return member[values]


WORD_GROUPS = [(1, 2), (3,), (4, 5), (6, 7, 8, 9, 10), (11, 12)]
FIRST_GROUPS = [*WORD_GROUPS, (20,), (22,), (17, 25), (18, 19), (23, 24)]
LAST_GROUPS = [*WORD_GROUPS, (13,), (14,), (15,), (16,), (21,), (22,), (18, 19, 25)]


def line_features(batch: Batch) -> Floats:
    """Return the shape features of every line, from its characters and tokens alone."""
    tokens = batch.tokens
    shapes, patterns = np.zeros((len(batch), a.CLASSES), np.int32), np.zeros((len(batch), 8), np.int32)
    call("token_counts", tokens.shape, tokens.length, tokens.first, shapes, patterns)
    chars = batch.characters
    total = np.maximum(chars.sum(axis=1), 1).astype(np.float32)
    letters = np.maximum(chars[:, 1:4].sum(axis=1) + chars[:, 5], 1).astype(np.float32)
    words = shapes[:, :13].sum(axis=1)
    share = np.maximum(words, 1).astype(np.float32)[:, None]
    ended = np.isin(patterns[:, 4], (13, 14)) | (np.isin(patterns[:, 4], (21, 22)) & np.isin(patterns[:, 5], (13, 14)))
    sentence = log1p(words // (patterns[:, 7] + 1))
    columns = [
        log1p(chars.sum(axis=1)),
        log1p(words),
        patterns[:, 6] / share[:, 0],
        chars[:, a.UPPER] / letters,
        chars[:, a.DIGIT] / total,
        chars[:, 13:].sum(axis=1) / total,
        sentence,
        log1p(patterns[:, 7]),
        ended,
        patterns[:, 0],
        patterns[:, 1],
        patterns[:, 2],
        batch.indented,
        batch.blank_before,
        batch.blank_after,
    ]
    groups = [shapes[:, 1:13] / share, log1p(shapes[:, 13:28])]
    hot = [one_hot(patterns[:, 3], FIRST_GROUPS), one_hot(patterns[:, 4], LAST_GROUPS)]
    return np.concatenate([np.column_stack(columns), *groups, *hot], axis=1, dtype=np.float32, casting="unsafe")
