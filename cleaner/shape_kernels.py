"""Tokens and counts to shape features; see `kernels.py` for how kernels are written."""

from typing import Any

import numpy as np

from cleaner.alphabet import (
    BLANK_AFTER,
    CAPITALS,
    CHARACTERS,
    CLASSES,
    CLOSE,
    COLON,
    DASH,
    FIGURES,
    FOUR_DIGITS,
    INDENTED,
    LETTERS,
    MARKS,
    ONE_DIGIT,
    QUESTION,
    QUOTE,
    SLASH,
    SPACES,
    TERMINAL,
    TWO_DIGITS,
    WORDS,
)
from cleaner.kernels import jit, log


@jit
def dampened(count: int, logs: Any) -> float:
    """Return log(1 + count), looked up for small counts."""
    return logs[count] if count < len(logs) else log(1 + count)


@jit
def ends_sentence(shape: int) -> bool:
    """Tell whether a token ends a sentence."""
    return shape == TERMINAL or shape == QUESTION


@jit
def figure_patterns(shape: Any, begin: int, end: int, row: Any) -> tuple[int, int]:
    """Mark what groups of digits look like: a year, a time of day, a date; return the number of times and dates."""
    times, dates = 0, 0
    for at in range(begin, end):
        if shape[at] == FOUR_DIGITS:
            row[0] = 1
        if at < begin + 2 or (shape[at] != TWO_DIGITS and shape[at] != FOUR_DIGITS):
            continue
        mark = shape[at - 1]
        if shape[at - 2] < ONE_DIGIT or shape[at - 2] > FOUR_DIGITS:
            continue
        if shape[at] == TWO_DIGITS and (mark == COLON or mark == TERMINAL):
            row[1] = 1
            times += 1
        if mark == SLASH or mark == TERMINAL or mark == DASH:
            row[2] = 1
            dates += 1
    return times, dates


@jit
def stretches(shape: Any, begin: int, end: int) -> tuple[int, int, int, int]:
    """Return how many words there are at most between marks that divide a sentence, and between those that end one.

    And how many the first and the last sentence have.
    """
    plain, whole, most_plain, most_whole, opening, closing = 0, 0, 0, 0, -1, 0
    for at in range(begin, end):
        if shape[at] < TERMINAL:
            plain += 1
            whole += 1
        elif shape[at] <= COLON:
            most_plain, plain = max(most_plain, plain), 0
            if ends_sentence(shape[at]) and whole > 0:
                most_whole, closing = max(most_whole, whole), whole
                opening = whole if opening < 0 else opening
                whole = 0
    closing = whole if whole > 0 else closing
    return max(most_plain, plain), max(most_whole, whole), whole if opening < 0 else opening, closing


@jit
def mark_ends(shape: Any, begin: int, end: int, groups: Any, row: Any) -> None:
    """Mark the kinds of the first and the last token; ``groups`` has a column of ``row`` for each shape, or 0."""
    if end == begin:
        return
    if groups[0, shape[begin]] > 0:
        row[groups[0, shape[begin]]] = 1
    if groups[1, shape[end - 1]] > 0:
        row[groups[1, shape[end - 1]]] = 1
    closed = shape[end - 1] == CLOSE or shape[end - 1] == QUOTE
    before = shape[end - 2] if closed and end > begin + 1 else 0
    row[8] = ends_sentence(shape[end - 1]) or ends_sentence(before)


@jit
def line_features(
    shape: Any, length: Any, first: Any, counts: Any, groups: Any, logs: Any, tally: Any, out: Any, column: int
) -> int:
    """Fill the shape features of every line into ``out``, float32 [lines, any], from a column on.

    ``counts`` are those of `token_kernels.tokenise`; ``tally``, int32 [CLASSES], is scratch.
    """
    lines = len(first) - 1
    for line in range(lines):
        begin, end, row = first[line], first[line + 1], out[line, column:]
        tally[:] = 0
        row[:72] = 0
        inside = 0
        for at in range(begin, end):
            tally[shape[at]] += 1
            inside += length[at] if shape[at] < TERMINAL else 0
        sentences = tally[TERMINAL] + tally[QUESTION]
        for at in range(max(end - 3, begin), end):
            sentences -= ends_sentence(shape[at])
        own = counts[line]
        words = own[WORDS]
        share, total = np.float32(max(words, 1)), np.float32(max(own[CHARACTERS], 1))
        row[0], row[1], row[2] = dampened(own[CHARACTERS], logs), dampened(words, logs), inside / share
        row[3] = own[CAPITALS] / np.float32(max(own[LETTERS], 1))
        row[4], row[5] = own[FIGURES] / total, own[MARKS] / total
        row[6], row[7] = dampened(words // (sentences + 1), logs), dampened(sentences, logs)
        times, dates = 0, 0
        if tally[TWO_DIGITS] + tally[FOUR_DIGITS] > 0:
            times, dates = figure_patterns(shape, begin, end, row[9:])
        for at in range(INDENTED, BLANK_AFTER + 1):
            row[12 + at - INDENTED] = own[at]
        for kind in range(1, TERMINAL):
            row[14 + kind] = tally[kind] / share
        for kind in range(TERMINAL, CLASSES):
            row[14 + kind] = dampened(tally[kind], logs)
        mark_ends(shape, begin, end, groups, row)
        plain, whole, opening, closing = stretches(shape, begin, end)
        row[64], row[65] = dampened(times, logs), dampened(dates, logs)
        row[66], row[67] = dampened(plain, logs), dampened(whole, logs)
        row[68], row[69] = dampened(opening, logs), dampened(closing, logs)
        row[70], row[71] = dampened(own[SPACES], logs), own[SPACES] / total
    return lines
