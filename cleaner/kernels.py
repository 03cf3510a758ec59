"""The passes over bytes and tokens, written for numba; only `native.py` imports this, to compile it.

One direction: bytes of a batch of documents -> line borders -> tokens -> sums over the text table,
shape counts and shared words. Nothing here knows labels or models; `features.py` says what the
numbers mean. All arrays are flat, with offsets: line ``i`` has the tokens ``first[i]:first[i + 1]``.
The functions named in `native.KERNELS` are compiled to plain machine code: they allocate nothing and
raise nothing, and fill arrays that they are given.
"""

from typing import Any, NamedTuple

import numba
import numpy as np

from cleaner.alphabet import (
    ALL_CAPS,
    CAPITALISED,
    CJK,
    COLON,
    DASH,
    DIGIT,
    DIGITS,
    FOUR_DIGITS,
    IDEOGRAPH,
    INITIAL,
    JOINER,
    LONG_LOWER,
    LOWER,
    MIXED,
    ONE_DIGIT,
    OTHER,
    QUESTION,
    SHORT_LOWER,
    SLASH,
    SPACE,
    TERMINAL,
    TWO_DIGITS,
    UNCASED,
    UPPER,
    WORD,
)

__all__: list[str] = []

jit = numba.njit(error_model="numpy", boundscheck=False)


class Tokens(NamedTuple):
    """Words, CJK characters and punctuation marks, in order."""

    word: Any  # int64 [tokens], hash of the case-folded word, digits as 0
    prefix: Any  # int64 [tokens], hash of its first characters, 0 for short words
    suffix: Any  # int64 [tokens], hash of its last three characters, 0 for short words
    shape: Any  # uint8 [tokens], see alphabet.py
    length: Any  # int32 [tokens], characters
    first: Any  # int64 [lines + 1]


MULTIPLIER = 0x2545F4914F6CDD1D
LINE_GRAM_TOKENS = 8


@jit
def decode(data: Any, at: int) -> tuple[int, int]:
    """Return code point and width of the character at a byte; stray bytes count as one character."""
    byte = np.int64(data[at])
    left = len(data) - at
    if byte < 0x80:
        return byte, 1
    if byte >= 0xF0 and left > 3:
        return (
            (byte & 7) << 18 | (data[at + 1] & 63) << 12 | (data[at + 2] & 63) << 6 | (data[at + 3] & 63),
            4,
        )
    if byte >= 0xE0 and left > 2:
        return (byte & 15) << 12 | (data[at + 1] & 63) << 6 | (data[at + 2] & 63), 3
    if byte >= 0xC0 and left > 1:
        return (byte & 31) << 6 | (data[at + 1] & 63), 2
    return byte, 1


@jit
def break_width(data: Any, at: int, stop: int) -> int:
    """Return how many bytes the line ending at a byte takes, 0 where there is none."""
    byte = data[at]
    if byte > 0x1E and byte < 0xC2:
        return 0
    if byte == 13:
        return 2 if at + 1 < stop and data[at + 1] == 10 else 1
    if (byte >= 10 and byte <= 12) or (byte >= 0x1C and byte <= 0x1E):
        return 1
    if byte == 0xC2 and at + 1 < stop and data[at + 1] == 0x85:
        return 2
    if byte == 0xE2 and at + 2 < stop and data[at + 1] == 0x80 and (data[at + 2] == 0xA8 or data[at + 2] == 0xA9):
        return 3
    return 0


@jit
def count_lines(data: Any, documents: Any) -> int:
    """Return at least the number of lines; ``documents`` has the byte offsets [documents + 1]."""
    count = 0
    for document in range(len(documents) - 1):
        at, stop = documents[document], documents[document + 1]
        while at < stop:
            width = break_width(data, at, stop)
            count += 1 if width > 0 else 0
            at += max(width, 1)
        count += 1
    return count


@jit
def find_lines(data: Any, documents: Any, out: Any) -> int:
    """Fill ``start, end, next, document`` of every line, int64 [4, lines]; returns how many there are."""
    line = 0
    for document in range(len(documents) - 1):
        at, stop = documents[document], documents[document + 1]
        if stop - at > 2 and data[at] == 0xEF and data[at + 1] == 0xBB and data[at + 2] == 0xBF:
            at += 3
        start = at
        while at < stop:
            width = break_width(data, at, stop)
            if width > 0:
                out[0, line], out[1, line], out[2, line], out[3, line] = start, at, at + width, document
                line += 1
                start = at + width
            at += max(width, 1)
        if start < stop:
            out[0, line], out[1, line], out[2, line], out[3, line] = start, stop, stop, document
            line += 1
    return line


@jit
def word_shape(length: int, upper: int, digits: int, kind: int) -> int:
    """Return the shape of a word from its length, capitals, digits and the class of its first letter."""
    if digits == length:
        if length == 1:
            return ONE_DIGIT
        if length == 2:
            return TWO_DIGITS
        return FOUR_DIGITS if length == 4 else DIGITS
    if digits > 0:
        return MIXED
    if kind == UNCASED:
        return WORD
    if upper == 0:
        return SHORT_LOWER if length <= 3 else LONG_LOWER
    if length == 1:
        return INITIAL
    if upper == length:
        return ALL_CAPS
    return CAPITALISED if kind == UPPER else MIXED


@jit
def inside_word(data: Any, after: int, end: int) -> bool:
    """Tell whether an apostrophe is followed by a letter."""
    if after >= end:
        return False
    byte = data[after]
    return byte >= 0xC3 or (byte >= 97 and byte <= 122) or (byte >= 65 and byte <= 90)


@jit
def tokenise(
    data: Any,
    start: Any,
    stop: Any,
    classes: Any,
    folded: Any,
    word: Any,
    prefix: Any,
    suffix: Any,
    shape: Any,
    size: Any,
    first: Any,
    counts: Any,
) -> int:
    """Cut lines into tokens and count characters by class; returns the number of tokens.

    ``classes`` uint8 and ``folded`` uint16 are indexed by code point below 65,536; the arrays of
    :class:`Tokens` have room for a token a byte; ``counts`` is int32 [lines, CLASSES], zeroed.
    """
    lines = len(start)
    first[0] = 0
    n = 0
    for line in range(lines):
        at, end = start[line], stop[line]
        length, upper, digits, kind = 0, 0, 0, 0
        hashed, head, last1, last2, last3 = 0, 0, 0, 0, 0
        while at <= end:
            width = 1
            if at == end:
                class_, code = SPACE, 32
            else:
                code, width = decode(data, at)
                if code < 65536:
                    class_ = np.int64(classes[code])
                elif code >= 0x20000 and code < 0x40000:
                    class_ = CJK
                else:
                    class_ = OTHER
                counts[line, class_] += 1
                if length > 0 and (code == 39 or code == 0x2019) and inside_word(data, at + width, end):
                    class_ = JOINER
            at += width
            if class_ >= LOWER and class_ <= DIGIT:
                if length == 0:
                    kind, upper, digits, hashed, head, last1, last2 = class_, 0, 0, 0, 0, 0, 0
                length += 1
                letter = 48 if class_ == DIGIT else np.int64(folded[code])
                upper += 1 if class_ == UPPER else 0
                digits += 1 if class_ == DIGIT else 0
                hashed = ((hashed ^ letter) + letter) * MULTIPLIER
                last3, last2, last1 = last2, last1, letter
                if length == 5:
                    head = hashed
                continue
            if class_ == JOINER and length > 0:
                continue
            if length > 0:
                word[n] = hashed ^ (hashed >> 32)
                prefix[n] = head if length > 5 else 0
                suffix[n] = ((last3 << 32) ^ (last2 << 16) ^ last1) * MULTIPLIER if length > 4 else 0
                shape[n] = word_shape(length, upper, digits, kind)
                size[n] = length
                n += 1
                length = 0
            if class_ == CJK or class_ >= TERMINAL:
                mixed = (code + 7) * MULTIPLIER
                word[n] = mixed ^ (mixed >> 32)
                prefix[n] = 0
                suffix[n] = 0
                shape[n] = IDEOGRAPH if class_ == CJK else class_
                size[n] = 1
                n += 1
        first[line + 1] = n
    return n


@jit
def copy_kept(data: Any, start: Any, after: Any, document: Any, keep: Any, out: Any, sizes: Any) -> int:
    """Copy the bytes of the lines to keep, endings included; adds to the size of each document."""
    n = 0
    for line in range(len(keep)):
        if keep[line] == 0:
            continue
        for at in range(start[line], after[line]):
            out[n] = data[at]
            n += 1
        sizes[document[line]] += after[line] - start[line]
    return n


@jit
def token_counts(shape_of: Any, length: Any, first: Any, shapes: Any, patterns: Any) -> int:
    """Count the tokens of each shape of every line [lines, CLASSES], and fill its patterns [lines, 8]; int32, zeroed.

    Patterns: a year, a time of day, a date in figures, shape of the first token, of the last token and
    of the one before, characters in words, sentence ends before the last three tokens.
    """
    lines = len(first) - 1
    for line in range(lines):
        begin, end = first[line], first[line + 1]
        for at in range(begin, end):
            shape = shape_of[at]
            shapes[line, shape] += 1
            if shape < TERMINAL:
                patterns[line, 6] += length[at]
            elif shape <= QUESTION and at < end - 3:
                patterns[line, 7] += 1
            if shape == FOUR_DIGITS:
                patterns[line, 0] = 1
            if at < begin + 2 or (shape != TWO_DIGITS and shape != FOUR_DIGITS):
                continue
            number = shape_of[at - 2] >= ONE_DIGIT and shape_of[at - 2] <= FOUR_DIGITS
            mark = shape_of[at - 1]
            if number and shape == TWO_DIGITS and (mark == COLON or mark == TERMINAL):
                patterns[line, 1] = 1
            if number and (mark == SLASH or mark == TERMINAL or mark == DASH):
                patterns[line, 2] = 1
        if end > begin:
            patterns[line, 3] = shape_of[begin]
            patterns[line, 4] = shape_of[end - 1]
            patterns[line, 5] = shape_of[end - 2] if end - begin > 1 else 0
    return lines
