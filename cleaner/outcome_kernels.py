"""What became of the lines: kinds of junk, sums and counts; see `kernels.py` for how kernels are written."""

from typing import Any

import numpy as np

from cleaner.alphabet import WORDS
from cleaner.kernels import MULTIPLIER, exp, jit
from cleaner.word_kernels import find


@jit
def kinds(values: Any, bias: Any, judged: Any, label: int, floor: Any, start: int, out: Any) -> int:
    """Fill the probabilities of kinds, [lines, kinds], from logits, the last columns of ``values``, and a bias.

    ``judged`` and ``out`` have these lines from row ``start`` on; where ``judged`` gives the label less than
    ``floor[0]``, all are 0.
    """
    lines, columns = values.shape
    count = len(bias)
    for line in range(lines):
        logits, row = values[line, columns - count :], out[start + line]
        if judged[start + line, label] < floor[0]:
            row[:] = 0
            continue
        most = logits[0] + bias[0]
        for kind in range(count):
            row[kind] = logits[kind] + bias[kind]
            most = max(most, row[kind])
        for kind in range(count):
            row[kind] = exp(row[kind] - most)
        total = np.float32(0)
        for kind in range(count):
            total += row[kind]
        for kind in range(count):
            row[kind] /= total
    return lines


@jit
def kind_codes(codes: Any, label: int, shares: Any, floor: Any, out: Any) -> int:
    """Fill the likeliest kind of each line, -1 where another label is its code or that has less than ``floor[0]``.

    ``shares`` is [lines, kinds], one kind or more.
    """
    for line in range(len(codes)):
        out[line] = -1
        if codes[line] == label:
            likeliest = 0
            for kind in range(1, shares.shape[1]):
                if shares[line, kind] > shares[line, likeliest]:
                    likeliest = kind
            if shares[line, likeliest] >= floor[0]:
                out[line] = likeliest
    return len(codes)


@jit
def totals(
    full: Any,
    document: Any,
    keep: Any,
    counts: Any,
    shares: Any,
    codes: Any,
    kind: Any,
    body: int,
    sure: Any,
    sums: Any,
    by_label: Any,
    by_kind: Any,
) -> int:
    """Add up words and lines; returns how many lines go that are not blank.

    ``full`` and ``keep``, uint8, and ``document`` are about all lines, what follows about those that are not blank:
    ``counts``, see alphabet.py, the probabilities of the labels, ``codes``, and the kind of junk, -1: none. Per
    document, ``sums``: words, those kept, those expected to be ``body``, those on lines whose likeliest label has less
    than ``sure[0]``, and lines that go. Lines and words by label; lines that go by kind.
    """
    row, gone = 0, 0
    for line in range(len(full)):
        into = sums[document[line]]
        if keep[line] == 0:
            into[4] += 1
        if full[line] == 0:
            continue
        words, most = counts[row, WORDS], shares[row, 0]
        for label in range(1, shares.shape[1]):
            most = max(most, shares[row, label])
        into[0] += words
        into[2] += words * shares[row, body]
        if most < sure[0]:
            into[3] += words
        by_label[codes[row], 0] += 1
        by_label[codes[row], 1] += words
        if keep[line] != 0:
            into[1] += words
        else:
            gone += 1
            if kind[row] >= 0:
                by_kind[kind[row]] += 1
        row += 1
    return gone


@jit
def tally(
    data: Any,
    start: Any,
    end: Any,
    after: Any,
    full: Any,
    keep: Any,
    longest: int,
    keys: Any,
    slots: Any,
    first: Any,
    counts: Any,
) -> int:
    """Count equal lines that go: fill the first of each sort and how many there are; returns how many differ.

    ``start``, ``end`` and ``after`` are where each line begins, ends, and the next one begins. Blank lines and those of
    more than ``longest`` bytes are not counted. ``keys``, zero, and ``slots`` have room for twice as many, a power of
    two.
    """
    found = 0
    for line in range(len(full)):
        if keep[line] != 0 or full[line] == 0 or end[line] - start[line] > longest:
            continue
        mixed = after[line] - start[line]  # or NULs at the start would change nothing
        for at in range(start[line], after[line]):
            mixed = (mixed ^ data[at]) * MULTIPLIER
        mixed = (mixed ^ (mixed >> 29)) | 1
        place = find(keys, mixed)
        if keys[place] == 0:
            keys[place], slots[place] = mixed, found
            first[found], counts[found] = line, 0
            found += 1
        counts[slots[place]] += 1
    return found
