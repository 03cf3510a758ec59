"""Tokens to rows of the text table, and sums of those rows; see `kernels.py` for how kernels are written."""

from typing import Any

import numpy as np

from cleaner.alphabet import IDEOGRAPH
from cleaner.kernels import MULTIPLIER, Tokens, jit

__all__: list[str] = []

LINE_GRAM_TOKENS = 8


@jit
def slot(mixed: int, mask: int) -> int:
    """Return the table row of a hash."""
    mixed *= MULTIPLIER
    return ((mixed >> 29) ^ (mixed >> 45)) & mask


@jit
def grams(tokens: Tokens, at: int, line: int, mask: int) -> tuple[int, int, int, int, int]:
    """Return the table rows of a token: word, bigram, shape trigram, prefix, suffix (-1: none).

    In text without spaces the prefix slot holds the character trigram.
    """
    begin = tokens.first[line]
    word, shape = tokens.word[at], np.int64(tokens.shape[at])
    before = tokens.word[at - 1] if at > begin else 1
    shape1 = np.int64(tokens.shape[at - 1]) if at > begin else 0
    shape2 = np.int64(tokens.shape[at - 2]) if at > begin + 1 else 0
    unigram = slot(word, mask)
    bigram = slot((before * 31) ^ word ^ 0x5BD1E995, mask)
    trigram = slot((shape2 << 10 | shape1 << 5 | shape) + 0x10001, mask)
    prefix, suffix = -1, -1
    if tokens.prefix[at] != 0:
        prefix = slot(tokens.prefix[at] ^ 0x1B873593, mask)
    elif shape == IDEOGRAPH and shape1 == IDEOGRAPH and shape2 == IDEOGRAPH:
        prefix = slot((tokens.word[at - 2] * 131) ^ (before * 31) ^ word ^ 0x2F, mask)
    if tokens.suffix[at] != 0:
        suffix = slot(tokens.suffix[at] ^ 0x38B34AE5, mask)
    return unigram, bigram, trigram, prefix, suffix


@jit
def line_gram(tokens: Tokens, line: int, mask: int) -> int:
    """Return the table row of a short line as a whole, and of how a long line ends."""
    begin, end = tokens.first[line], tokens.first[line + 1]
    mixed = 0x7F4A7C15
    if end - begin > LINE_GRAM_TOKENS:
        mixed, begin = 0x3C6EF372, end - 2
    for at in range(begin, end):
        mixed = (mixed ^ tokens.word[at]) * MULTIPLIER
    return slot(mixed, mask)


@jit
def gram_indices(
    word: Any, prefix: Any, suffix: Any, shape: Any, first: Any, mask: int, indices: Any, offsets: Any
) -> int:
    """Fill the table rows of every line as compressed sparse rows: indices int32, offsets int64."""
    tokens = Tokens(word, prefix, suffix, shape, first, first)
    lines = len(first) - 1
    offsets[0] = 0
    n = 0
    for line in range(lines):
        for at in range(tokens.first[line], tokens.first[line + 1]):
            for row in grams(tokens, at, line, mask):
                if row >= 0:
                    indices[n] = row
                    n += 1
        indices[n] = line_gram(tokens, line, mask)
        n += 1
        offsets[line + 1] = n
    return n


@jit
def gram_scores(word: Any, prefix: Any, suffix: Any, shape: Any, first: Any, table: Any, edge: int, out: Any) -> int:
    """Sum the table rows of every line: the whole, its first and its last ``edge`` tokens.

    ``table`` is float32 [rows, columns], rows a power of two. Each sum is divided by the square root of
    the number of rows in it, as if the line's indicator vector had length one. ``out`` is float32
    [lines + 1, 3 * columns]; its last row is scratch.
    """
    tokens = Tokens(word, prefix, suffix, shape, first, first)
    lines = len(first) - 1
    columns = table.shape[1]
    mask = table.shape[0] - 1
    total = out[lines]
    for line in range(lines):
        total[:] = 0
        begin, end = tokens.first[line], tokens.first[line + 1]
        n, n_head, n_tail = 0, 0, 0
        for at in range(begin, end):
            head, tail = at < begin + edge, at >= end - edge
            for row in grams(tokens, at, line, mask):
                if row < 0:
                    continue
                n += 1
                for column in range(columns):
                    total[column] += table[row, column]
                if head:
                    n_head += 1
                    for column in range(columns):
                        total[columns + column] += table[row, column]
                if tail:
                    n_tail += 1
                    for column in range(columns):
                        total[2 * columns + column] += table[row, column]
        if end > begin:
            row = line_gram(tokens, line, mask)
            n += 1
            for column in range(columns):
                total[column] += table[row, column]
        for column in range(columns):
            out[line, column] = total[column] / np.sqrt(max(n, 1))
            out[line, columns + column] = total[columns + column] / np.sqrt(max(n_head, 1))
            out[line, 2 * columns + column] = total[2 * columns + column] / np.sqrt(max(n_tail, 1))
    return lines
