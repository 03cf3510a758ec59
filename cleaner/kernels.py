"""The passes over bytes and tokens, written for numba; only `compiling.py` imports this, to compile it.

One direction: bytes of a batch of documents -> line borders -> tokens -> sums over the text table,
shape counts and shared words. Nothing here knows labels or models; `features.py` says what the
numbers mean. All arrays are flat, with offsets: line ``i`` has the tokens ``first[i]:first[i + 1]``.
The functions named in `compiling.KERNELS` are compiled to plain machine code: they allocate nothing and
raise nothing, and fill arrays that they are given. `tests/benchmarks/compiled.py` measures what they gain over numpy.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np

from cleaner.vectors import BLOCK, first_break

F = TypeVar("F")
#: Nothing calls these functions from Python; numba's declared types do not know the options.
LEAN: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
jit: Callable[[F], F] = numba.njit(error_model="numpy", boundscheck=False, forceinline=True, **LEAN)


class Tokens(NamedTuple):
    """Words, CJK characters and punctuation marks, in order."""

    word: Any  # int64 [tokens], hash of the case-folded word, digits as 0
    prefix: Any  # int64 [tokens], hash of its first characters, 0 for short words
    suffix: Any  # int64 [tokens], hash of its last three characters, 0 for short words
    shape: Any  # uint8 [tokens], see alphabet.py
    length: Any  # int32 [tokens], characters
    first: Any  # int64 [lines + 1]


MULTIPLIER = 0x2545F4914F6CDD1D


@jit
def log(value: float) -> float:
    """Return the natural logarithm of a positive float32, to seven digits.

    Source of the polynomial: Moshier, Cephes, logf. The C library's function is not one that the compiler
    can do eight at a time, and differs between systems.
    """
    bits = np.float32(value).view(np.int32)
    power = (bits >> 23) - 126
    rest = np.int32((bits & 0x7FFFFF) | 0x3F000000).view(np.float32)
    small = rest < np.float32(0.70710678)
    exponent = np.float32(power - 1 if small else power)
    x = rest + (rest if small else np.float32(0)) - np.float32(1)
    y = x * np.float32(7.0376836292e-2) - np.float32(1.1514610310e-1)
    y = y * x + np.float32(1.1676998740e-1)
    y = y * x - np.float32(1.2420140846e-1)
    y = y * x + np.float32(1.4249322787e-1)
    y = y * x - np.float32(1.6668057665e-1)
    y = y * x + np.float32(2.0000714765e-1)
    y = y * x - np.float32(2.4999993993e-1)
    y = y * x + np.float32(3.3333331174e-1)
    square = x * x
    y = y * x * square - exponent * np.float32(2.12194440e-4) - np.float32(0.5) * square
    return x + y + exponent * np.float32(0.693359375)


#: Logarithms of small numbers, 0 for that of 0: where one at a time is asked for, faster than computing it.
LOGS = np.array([0, *(log.py_func(np.float32(number)) for number in range(1, 4096))], np.float32)  # type: ignore[attr-defined]


@jit
def log_of(number: int) -> float:
    """Return :func:`log` of a whole number, 1 or more."""
    return LOGS[number] if number < len(LOGS) else log(number)


@jit
def exp(value: float) -> float:
    """Return the exponential of a float32 below 88, to seven digits; Cephes, expf."""
    x = max(np.float32(value), np.float32(-87))
    power = np.int32(x * np.float32(1.44269504) + np.float32(127.5)) - np.int32(127)
    part = np.float32(power)
    x = x - part * np.float32(0.693359375) + part * np.float32(2.12194440e-4)
    y = x * np.float32(1.9875691500e-4) + np.float32(1.3981999507e-3)
    y = y * x + np.float32(8.3334519073e-3)
    y = y * x + np.float32(4.1665795894e-2)
    y = y * x + np.float32(1.6666665459e-1)
    y = y * x + np.float32(5.0000001201e-1)
    return (y * x * x + x + np.float32(1)) * np.int32((power + 127) << 23).view(np.float32)


@jit
def decode(data: Any, at: int, end: int) -> tuple[int, int]:
    """Return code point and width of the character at a byte of a line; stray bytes count as one character.

    What is cut short by the end of the line takes nothing from what follows.
    """
    byte = np.int64(data[at])
    left = end - at
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
def find_lines(data: Any, documents: Any, start: Any, end: Any, after: Any, document: Any) -> int:
    """Fill start, end, start of the next and document of every line, int64; returns how many there are.

    ``documents`` has the byte offsets [documents + 1]. Where the arrays are too short, the number is that
    of the lines found, one more than there is room for.
    """
    line, room = 0, len(start)
    for number in range(len(documents) - 1):
        at, stop = documents[number], documents[number + 1]
        if stop - at > 2 and data[at] == 0xEF and data[at + 1] == 0xBB and data[at + 2] == 0xBF:
            at += 3
        begin = at
        while at < stop:
            if at + BLOCK + 2 <= stop:
                skipped: int = first_break(data, at)
                at += skipped
                if skipped == BLOCK:
                    continue
            width = break_width(data, at, stop)
            if width == 0:
                at += 1
                continue
            if line == room:
                return room + 1
            start[line], end[line], after[line], document[line] = begin, at, at + width, number
            line += 1
            at += width
            begin = at
        if begin < stop:
            if line == room:
                return room + 1
            start[line], end[line], after[line], document[line] = begin, stop, stop, number
            line += 1
    return line


@jit
def kept_lines(full: Any, document: Any, keep: Any, out: Any) -> int:
    """Extend a choice among the lines that are not blank, ``keep`` uint8, to all lines, ``full`` uint8 [lines].

    A blank line stays with the kept line before it, as long as a kept line follows or the text ends
    with it; the blank lines at the start belong to the first line.
    """
    row, begin = 0, 0
    while begin < len(full):
        end, last = begin, -1
        while end < len(full) and document[end] == document[begin]:
            out[end] = 0
            if full[end] != 0:
                out[end] = keep[row]
                last = end
                row += 1
            end += 1
        owned, lead = last < 0, begin
        while lead < last and full[lead] == 0:
            lead += 1
        if last >= 0:
            owned = out[lead] != 0
        follows = False
        for line in range(last, begin - 1, -1):
            if full[line] != 0:
                follows = follows or out[line] != 0
            else:
                out[line] = follows
        for line in range(begin, end):
            if full[line] != 0:
                owned = out[line] != 0
            elif line > last:
                out[line] = owned
            else:
                out[line] = owned and out[line] != 0
        begin = end
    return row


@jit
def copy_kept(data: Any, start: Any, after: Any, document: Any, keep: Any, out: Any, sizes: Any) -> int:
    """Copy the bytes of the lines to keep, endings included; adds to the size of each document.

    Lines that follow each other are copied in one go.
    """
    n, line, lines = 0, 0, len(keep)
    while line < lines:
        if keep[line] == 0:
            line += 1
            continue
        begin, first = start[line], line
        while line < lines and keep[line] != 0 and (line == first or start[line] == after[line - 1]):
            sizes[document[line]] += after[line] - start[line]
            line += 1
        size = after[line - 1] - begin
        source, target = data[begin : begin + size], out[n : n + size]
        for at in range(size):
            target[at] = source[at]
        n += size
    return n
