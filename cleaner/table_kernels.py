"""Tokens to rows of the text table, and sums of those rows; see `kernels.py` for how kernels are written."""

from typing import Any

import numpy as np

from cleaner.alphabet import IDEOGRAPH
from cleaner.kernels import MULTIPLIER, Tokens, jit
from cleaner.vectors import LANES, add_rows

LINE_GRAM_TOKENS = 8


@jit
def slot(mixed: int, mask: int) -> int:
    """Return the table row of a hash."""
    mixed *= MULTIPLIER
    return ((mixed >> 29) ^ (mixed >> 45)) & mask


@jit
def bigram(before: int, word: int, mask: int) -> int:
    """Return the table row of two words."""
    return slot((before * 31) ^ word ^ 0x5BD1E995, mask)


@jit
def trigram(shape2: int, shape1: int, shape: int, mask: int) -> int:
    """Return the table row of three token shapes."""
    return slot((np.int64(shape2) << 10 | np.int64(shape1) << 5 | np.int64(shape)) + 0x10001, mask)


@jit
def inner_rows(tokens: Tokens, span: tuple[int, int], mask: int, rows: Any, at: int) -> None:
    """Fill the table rows of tokens that have two others before them, from column ``at`` of ``rows`` on.

    One loop for each n-gram, with a plain slice for everything that it reads: so the compiler can see that
    the loops may be done eight tokens at a time.
    """
    begin, end = span
    count = end - begin
    word, before, before2 = tokens.word[begin:end], tokens.word[begin - 1 : end - 1], tokens.word[begin - 2 : end - 2]
    shape, shape1, shape2 = (
        tokens.shape[begin:end],
        tokens.shape[begin - 1 : end - 1],
        tokens.shape[begin - 2 : end - 2],
    )
    prefix, suffix = tokens.prefix[begin:end], tokens.suffix[begin:end]
    words, pairs, shapes, starts, ends = (
        rows[0, at : at + count],
        rows[1, at : at + count],
        rows[2, at : at + count],
        rows[3, at : at + count],
        rows[4, at : at + count],
    )
    none = mask + 1
    for i in range(count):
        words[i] = slot(word[i], mask)
    for i in range(count):
        pairs[i] = bigram(before[i], word[i], mask)
    for i in range(count):
        shapes[i] = trigram(shape2[i], shape1[i], shape[i], mask)
    for i in range(count):
        starts[i] = slot(prefix[i] ^ 0x1B873593, mask) if prefix[i] != 0 else none
    for i in range(count):
        ends[i] = slot(suffix[i] ^ 0x38B34AE5, mask) if suffix[i] != 0 else none
    for i in range(count):
        if shape[i] == IDEOGRAPH and shape1[i] == IDEOGRAPH and shape2[i] == IDEOGRAPH:
            starts[i] = slot((before2[i] * 131) ^ (before[i] * 31) ^ word[i] ^ 0x2F, mask)


@jit
def first_rows(tokens: Tokens, at: int, begin: int, mask: int, row: Any) -> None:
    """Fill the table rows of the first or the second token of a line, which begins with the token ``begin``."""
    word, shape = tokens.word[at], tokens.shape[at]
    row[0] = slot(word, mask)
    row[1] = bigram(tokens.word[at - 1] if at > begin else 1, word, mask)
    row[2] = trigram(0, tokens.shape[at - 1] if at > begin else 0, shape, mask)
    row[3] = slot(tokens.prefix[at] ^ 0x1B873593, mask) if tokens.prefix[at] != 0 else mask + 1
    row[4] = slot(tokens.suffix[at] ^ 0x38B34AE5, mask) if tokens.suffix[at] != 0 else mask + 1


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
def token_rows(tokens: Tokens, line: int, span: tuple[int, int], mask: int, rows: Any) -> None:
    """Fill the table rows, int32 [5, tokens], of the tokens of a span; the first is in ``line``.

    They are those of the word, the bigram, the shape trigram, the prefix and the suffix; ``mask + 1`` is
    the row for what a token does not have. In text without spaces the prefix is the character trigram.
    """
    begin, end = span
    inside = max(begin, 2)
    if end > inside:
        inner_rows(tokens, (inside, end), mask, rows, inside - begin)
    while line < len(tokens.first) - 1 and tokens.first[line] < end:
        start = tokens.first[line]
        for at in range(max(start, begin), min(start + 2, tokens.first[line + 1], end)):
            first_rows(tokens, at, start, mask, rows[:, at - begin])
        line += 1


@jit
def gram_indices(
    word: Any, prefix: Any, suffix: Any, shape: Any, first: Any, mask: int, rows: Any, indices: Any, offsets: Any
) -> int:
    """Fill the table rows of every line as compressed sparse rows: indices int32, offsets int64.

    ``rows``, int32 [5, 1], is scratch.
    """
    tokens = Tokens(word, prefix, suffix, shape, first, first)
    lines = len(first) - 1
    offsets[0] = 0
    n = 0
    for line in range(lines):
        for at in range(first[line], first[line + 1]):
            token_rows(tokens, line, (at, at + 1), mask, rows)
            for row in rows[:, 0]:
                if row <= mask:
                    indices[n] = row
                    n += 1
        indices[n] = line_gram(tokens, line, mask)
        n += 1
        offsets[line + 1] = n
    return n


@jit
def pack(wide: Any, scale: Any, weights: Any) -> int:
    """Write a float32 table into the first columns of an int16 one, each column with a scale; the last counts rows."""
    rows, columns = wide.shape
    scale[:] = np.float32(0)
    for row in range(rows):
        for column in range(columns):
            scale[column] = max(scale[column], abs(wide[row, column]))
    for column in range(columns):
        scale[column] = max(scale[column] / np.float32(32767), np.float32(1e-20))
    for row in range(rows):
        for column in range(columns):
            weights[row, column] = np.int16(np.rint(wide[row, column] / scale[column]))
        weights[row, -1] = 1
    return rows


@jit
def add_spans(table: Any, rows: Any, cuts: tuple[int, int, int, int], sums: Any) -> None:
    """Add the table rows of three spans of tokens to the three rows of ``sums``, float32 [3, columns]."""
    for block in range(table.shape[1] // LANES):
        for part in range(3):
            add_rows(table, rows, (cuts[part], cuts[part + 1]), block, sums[part, block * LANES :])


@jit
def write_scores(sums: Any, last: Any, scale: Any, overlap: bool, out: Any) -> None:
    """Turn the sums of a line into its scores; ``last`` is the table row of the line as a whole.

    One loop for each third: of a single one the compiler cannot see that it may be done several columns at a time.
    """
    columns, count = len(scale), len(last) - 1
    middle = np.float32(1) if overlap else np.float32(0)
    whole = sums[0, count] + sums[1, count] + sums[2, count] + last[count]
    factor = 1 / np.sqrt(max(whole, np.float32(1)))
    head = 1 / np.sqrt(max(sums[0, count] + middle * sums[1, count], np.float32(1)))
    tail = 1 / np.sqrt(max(sums[2, count] + middle * sums[1, count], np.float32(1)))
    first, between, end, line = sums[0, :columns], sums[1, :columns], sums[2, :columns], last[:columns]
    for column in range(columns):
        out[column] = scale[column] * (first[column] + between[column] + end[column] + line[column]) * factor
    opening, closing = out[columns : 2 * columns], out[2 * columns : 3 * columns]
    for column in range(columns):
        opening[column] = scale[column] * (first[column] + middle * between[column]) * head
    for column in range(columns):
        closing[column] = scale[column] * (end[column] + middle * between[column]) * tail


@jit
def gram_scores(
    word: Any,
    prefix: Any,
    suffix: Any,
    shape: Any,
    first: Any,
    table: Any,
    scale: Any,
    edge: int,
    rows: Any,
    sums: Any,
    out: Any,
) -> int:
    """Sum the table rows of every line: the whole, its first and its last ``edge`` tokens.

    ``table`` is int16 [rows + 1, width], the rows a power of two and the last one zero; float32 ``scale``
    [columns] makes weights of its columns, and its last column is 1 wherever there is a row, so that it
    counts them. Each sum is divided by the square root of the number of rows in it, as if the line's
    indicator vector had length one. ``rows``, int32 [5, some tokens], and ``sums``, float32 [3, width], are
    scratch; ``out`` is float32 [lines, 3 * columns or more].
    """
    tokens = Tokens(word, prefix, suffix, shape, first, first)
    lines = len(first) - 1
    mask = len(table) - 2
    before, known = first[0], first[0]
    for line in range(lines):
        begin, end = first[line], first[line + 1]
        head, tail = min(begin + edge, end), max(end - edge, begin)
        cut, cut2 = min(head, tail), max(head, tail)
        sums[:] = 0
        at = begin
        while at < end:
            if at == known:
                before, known = at, min(at + rows.shape[1], first[lines])
                token_rows(tokens, line, (before, known), mask, rows)
            stop = min(end, known)
            cuts = (at, min(max(cut, at), stop), min(max(cut2, at), stop), stop)
            add_spans(table, rows, (cuts[0] - before, cuts[1] - before, cuts[2] - before, cuts[3] - before), sums)
            at = stop
        last = line_gram(tokens, line, mask) if end > begin else mask + 1
        write_scores(sums, table[last], scale, tail < head, out[line])
    return lines
