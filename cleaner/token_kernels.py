"""Lines to tokens; see `kernels.py` for how kernels are written."""

from typing import Any

import numpy as np

from cleaner.alphabet import (
    ALL_CAPS,
    BLANK_AFTER,
    BLANK_BEFORE,
    CAPITALISED,
    CAPITALS,
    CHARACTERS,
    CJK,
    DIGIT,
    DIGITS,
    FIGURES,
    FOUR_DIGITS,
    IDEOGRAPH,
    INDENTED,
    INITIAL,
    JOINER,
    LETTERS,
    LONG_LOWER,
    LOWER,
    MARKS,
    MIXED,
    ONE_DIGIT,
    OTHER,
    SHORT_LOWER,
    SPACE,
    SPACES,
    TWO_DIGITS,
    UNCASED,
    UPPER,
    WORD,
    WORDS,
)
from cleaner.kernels import MULTIPLIER, Tokens, decode, jit
from cleaner.markup_kernels import markup, target

BACKSLASH, BRACKET = 92, 93  # bytes
SUFFIX = (1 << 48) - 1  # three letters of 16 bits


@jit
def word_shape(length: int, upper: int, digits: int, kind: int) -> int:
    """Return the shape of a word from its length, capitals, digits and the class of its first letter."""
    if digits > 0:
        if digits < length:
            return MIXED
        if length == 1:
            return ONE_DIGIT
        if length == 2:
            return TWO_DIGITS
        return FOUR_DIGITS if length == 4 else DIGITS
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
def character(data: Any, at: int, end: int, table: Any) -> tuple[int, int, int, int]:
    """Return code point, class, case-folded form and width of the character at a byte of a line up to ``end``."""
    code, width = np.int64(data[at]), 1
    if code >= 0x80:
        code, width = decode(data, at, end)
        if code >= 65536:
            return code, CJK if code >= 0x20000 and code < 0x40000 else OTHER, 0, width
    entry = np.int64(table[code])
    return code, entry & 255, entry >> 8, width


@jit
def read_word(data: Any, at: int, end: int, table: Any, tokens: Tokens, n: int) -> tuple[int, int, int, int, int]:
    """Write the word that begins at a byte as token ``n``; its first character must be a letter or digit.

    Returns where it ends, its capitals and digits, and how many joiners and apostrophes are in it.
    """
    code, class_, letter, width = character(data, at, end, table)
    kind, length, upper, digits, joiners, marks = class_, 0, 0, 0, 0, 0
    hashed, head, last = 0, 0, 0
    while True:
        length += 1
        upper += class_ == UPPER
        digits += class_ == DIGIT
        hashed = ((hashed ^ letter) + letter) * MULTIPLIER
        last = (last << 16) | letter
        head = hashed if length == 5 else head
        at += width
        if at >= end:
            break
        code, class_, letter, width = character(data, at, end, table)
        if class_ >= LOWER and class_ <= DIGIT:
            continue
        while class_ == JOINER or ((code == 39 or code == 0x2019) and inside_word(data, at + width, end)):
            joiners += class_ == JOINER
            marks += class_ != JOINER
            at += width
            if at >= end:
                break
            code, class_, letter, width = character(data, at, end, table)
        if at >= end or class_ < LOWER or class_ > DIGIT:
            break
    tokens.word[n] = hashed ^ ((hashed >> 32) & 0xFFFFFFFF)
    tokens.prefix[n] = head if length > 5 else 0
    tokens.suffix[n] = (last & SUFFIX) * MULTIPLIER if length > 4 else 0
    tokens.shape[n] = word_shape(length, upper, digits, kind)
    tokens.length[n] = length
    return at, upper, digits, joiners, marks


@jit
def read_line(
    data: Any, span: tuple[int, int], table: Any, tokens: Tokens, n: int, counts: Any, plain: bool
) -> tuple[int, bool]:
    """Write the tokens of a line from ``n`` on and count its characters; with ``plain`` markup, too.

    Returns the number of the next token, and whether there is anything in the line.
    """
    at, end = span
    hidden, literal = 0, -1
    spaces, others, letters, upper, digits, marks, words = 0, 0, 0, 0, 0, 0, 0
    while at < end:
        code, class_, _, width = character(data, at, end, table)
        if class_ == SPACE:
            spaces += 1
        elif class_ <= DIGIT:
            at, new_upper, new_digits, new_others, new_marks = read_word(data, at, end, table, tokens, n)
            upper, digits, others, marks = (
                upper + new_upper,
                digits + new_digits,
                others + new_others,
                marks + new_marks,
            )
            letters += tokens.length[n] - new_digits
            words += 1
            n += 1
            continue
        elif class_ == JOINER:
            others += 1
        else:
            skipped = 0 if plain or at == literal else markup(data, at, span[0], end)
            if skipped > 0:
                hidden += skipped
                at += skipped
                literal = at if code == BACKSLASH else literal
                continue
            mixed = (code + 7) * MULTIPLIER
            tokens.word[n] = mixed ^ (mixed >> 32)
            tokens.prefix[n] = 0
            tokens.suffix[n] = 0
            tokens.shape[n] = IDEOGRAPH if class_ == CJK else class_
            tokens.length[n] = 1
            n += 1
            letters += class_ == CJK
            words += class_ == CJK
            marks += class_ != CJK
            if code == BRACKET and at != literal and not plain:
                width += target(data, at + 1, end)
        at += width
    solid = others + letters + digits + marks
    counts[CHARACTERS], counts[LETTERS], counts[CAPITALS] = spaces + solid, letters, upper
    counts[FIGURES], counts[MARKS], counts[WORDS], counts[SPACES] = digits, marks, words, spaces
    return n, solid + hidden > 0


@jit
def tokenise(
    data: Any,
    start: Any,
    stop: Any,
    inside: Any,
    table: Any,
    word: Any,
    prefix: Any,
    suffix: Any,
    shape: Any,
    size: Any,
    first: Any,
    counts: Any,
    document: Any,
    full: Any,
) -> int:
    """Cut lines into tokens and count their characters; blank lines are left out; returns how many are not.

    ``inside`` int64 [lines] are the numbers of the lines' documents. ``table`` uint32 [65536] has class
    and case-folded form (from bit 8 on) of each code point. The arrays of :class:`Tokens` have room for a
    token a byte. For each line that is not blank there is a row of ``counts``, int32 [lines, COUNTS], and a
    number in ``document``; ``full`` uint8 [lines] says which those are.
    """
    tokens = Tokens(word, prefix, suffix, shape, size, first)
    n, row = 0, 0
    first[0] = 0
    for line in range(len(start)):
        begin, end = start[line], stop[line]
        n, solid = read_line(data, (begin, end), table, tokens, n, counts[row], False)
        if solid and n == first[row]:
            n, solid = read_line(data, (begin, end), table, tokens, n, counts[row], True)
        full[line] = solid
        follows = line > 0 and inside[line - 1] == inside[line]
        if solid:
            counts[row, INDENTED] = data[begin] == 32 or data[begin] == 9
            counts[row, BLANK_BEFORE] = follows and full[line - 1] == 0
            counts[row, BLANK_AFTER] = 0
            document[row] = inside[line]
            row += 1
            first[row] = n
        elif follows and full[line - 1] != 0:
            counts[row - 1, BLANK_AFTER] = 1
    return row
