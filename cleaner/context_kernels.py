"""First looks at lines to features of their neighbourhood; see `kernels.py` for how kernels are written.

Lines are rows of float32 matrices; ``begin`` and ``end``, int64 [lines], are the first line of the document that a
line is in and the first after it. Sums run over the whole batch, ``sums[line]`` being those before the line, and
what holds for a document as a whole stands in the row of its first line.
"""

from typing import Any

import numpy as np

from cleaner.alphabet import WORDS
from cleaner.kernels import exp, jit, log, log_of

FAR = np.float32(6)  # stands for the distance to a line that the document does not have
AHEAD = np.float32(1.0001)  # so much likelier must a line be than one before: like lines differ in their last bits


@jit
def borders(document: Any, tokens: Any, begin: Any, end: Any) -> int:
    """Fill where the document of each line begins and ends; returns the most tokens and lines of a document.

    ``document`` int64 [lines] ascends; ``tokens``, int64 [lines + 1], has the first token of each line.
    """
    lines, most = len(document), 0
    first = 0
    while first < lines:
        last = first + 1
        while last < lines and document[last] == document[first]:
            last += 1
        begin[first:last] = first
        end[first:last] = last
        most = max(most, tokens[last] - tokens[first] + last - first)
        first = last
    return most


@jit
def softmax(logits: Any, flat: Any, bias: Any, start: int, out: Any) -> int:
    """Fill probabilities from logits [lines, labels] and a bias, into the rows from ``start`` on.

    ``flat`` is the same memory as ``logits``, which is scratch afterwards: one row of numbers is what the
    compiler does eight at a time.
    """
    lines, labels = logits.shape
    for line in range(lines):
        values = logits[line]
        most = values[0] + bias[0]
        for label in range(labels):
            values[label] += bias[label]
            most = max(most, values[label])
        for label in range(labels):
            values[label] -= most
    for at in range(len(flat)):
        flat[at] = exp(flat[at])
    for line in range(lines):
        total = np.float32(0)
        for label in range(labels):
            total += logits[line, label]
        for label in range(labels):
            out[start + line, label] = logits[line, label] / total
    return lines


@jit
def rectified(bias: Any, values: Any) -> int:
    """Add a bias to the first columns of every row and set what is below 0 there to 0."""
    for line in range(len(values)):
        row = values[line]
        for at in range(len(bias)):
            row[at] = max(row[at] + bias[at], np.float32(0))
    return len(values)


@jit
def move(source: Any, target: Any, count: int) -> None:
    """Copy the first values of an array."""
    for at in range(count):
        target[at] = source[at]


@jit
def neighbours(
    values: Any, columns: tuple[int, int], span: tuple[int, int, int], reach: tuple[int, int], row: Any
) -> int:
    """Copy columns of the lines as far away as ``reach`` says, the later before the earlier; 0 outside the document.

    ``span`` is the line and its document's borders; returns how many values were written.
    """
    first, last = columns
    line, begin, end = span
    place, count = 0, last - first
    for by in range(reach[0], reach[1] + 1):
        for target in (line + by, line - by):
            if target >= begin and target < end:
                move(values[target, first:], row[place:], count)
            else:
                row[place : place + count] = 0
            place += count
    return place


@jit
def known(lines: Any, values: Any, line: int, row: Any) -> int:
    """Fill what the first pass saw of a line and what it said; returns how many columns that takes."""
    seen, labels = lines.shape[1], values.shape[1]
    move(lines[line], row, seen)
    move(values[line], row[seen:], labels)
    return seen + labels


@jit
def draft_rows(
    lines: Any, values: Any, whole: Any, beside: Any, begin: Any, end: Any, reach: Any, start: int, out: Any
) -> int:
    """Fill what the draft head sees of the lines from ``start`` on, [lines, features].

    ``lines`` is what the first pass saw, ``values`` what it said, ``whole`` the features of :func:`context`,
    ``beside`` what is shown of neighbours. ``reach`` has near and far, the columns of ``beside`` that are shown
    of the far ones, and the columns of ``whole`` that stand before the neighbours.
    """
    near, far, few, before = reach[0], reach[1], reach[2], reach[3]
    more, columns = whole.shape[1], beside.shape[1]
    for number in range(len(out)):
        line, row = start + number, out[number]
        span = (line, begin[line], end[line])
        place = known(lines, values, line, row)
        move(whole[line], row[place:], before)
        place += before
        place += neighbours(beside, (0, columns), span, (1, near), row[place:])
        place += neighbours(beside, (0, few), span, (near + 1, far), row[place:])
        move(whole[line, before:], row[place:], more - before)
    return len(out)


@jit
def shown(lines: Any, values: Any, columns: Any, out: Any) -> int:
    """Fill what is shown of neighbours: the first pass's probabilities and some columns of what it saw."""
    labels = values.shape[1]
    for line in range(len(out)):
        move(values[line], out[line], labels)
        for at in range(len(columns)):
            out[line, labels + at] = lines[line, columns[at]]
    return len(out)


@jit
def running(values: Any, begin: Any, sums: Any, most: Any) -> int:
    """Fill running sums, float64 [lines + 1, columns], and the documents' largest values, float32 [lines, columns]."""
    columns = sums.shape[1]
    sums[0] = 0
    for line in range(len(begin)):
        top = most[begin[line]]
        for column in range(columns):
            value = values[line, column]
            sums[line + 1, column] = sums[line, column] + value
            top[column] = value if line == begin[line] else max(top[column], value)
    return len(begin)


@jit
def means(sums: Any, begin: int, end: int, line: int, radius: int, row: Any) -> None:
    """Fill the means over the lines at most ``radius`` away, inside the document."""
    low, high = max(line - radius, begin), min(line + radius + 1, end)
    share = np.float32(1) / np.float32(high - low)
    for column in range(sums.shape[1]):
        row[column] = np.float32(sums[high, column] - sums[low, column]) * share


@jit
def signed_log(gap: int) -> float:
    """Return sign(gap) * log(1 + |gap|)."""
    return log_of(1 + gap) if gap >= 0 else -log_of(1 - gap)


@jit
def titles(values: Any, headline: int, begin: Any, end: Any, title: Any) -> int:
    """Fill the number of the likeliest headline of each line's document, of like ones the first.

    Without such a label it is the document's first line.
    """
    for line in range(len(begin)):
        first = begin[line]
        if line == first:
            title[line] = line
        elif headline >= 0 and values[line, headline] > values[title[first], headline] * AHEAD:
            title[first] = line
    for line in range(len(begin)):
        title[line] = title[begin[line]]
    return len(begin)


@jit
def distances(sure: Any, span: tuple[int, int], out: Any, column: int) -> None:
    """Fill log distances to the sure lines of a document: the previous, the next, the first and the last."""
    begin, end = span
    first, last = -1, -1
    for line in range(begin, end):
        if sure[line] > np.float32(0.5):
            first = line if first < 0 else first
            last = line
        out[line, column] = signed_log(line - last) if last >= 0 else FAR
    following = -1
    for line in range(end - 1, begin - 1, -1):
        following = line if sure[line] > np.float32(0.5) else following
        out[line, column + 1] = signed_log(line - following) if following >= 0 else FAR
        out[line, column + 2] = signed_log(line - first) if first >= 0 else FAR
        out[line, column + 3] = signed_log(line - last) if last >= 0 else FAR


@jit
def densities(sums: Any, span: tuple[int, int], radius: int, out: Any, column: int) -> None:
    """Fill for a document what a window says: density of body, by the densest, log body words, share of body lines."""
    begin, end = span
    best = np.float32(0)
    for line in range(begin, end):
        low, high = max(line - radius, begin), min(line + radius + 1, end)
        mass, words = np.float32(sums[high, 0] - sums[low, 0]), np.float32(sums[high, 1] - sums[low, 1])
        density = mass / words
        best = max(best, density)
        out[line, column] = density
        out[line, column + 2] = log(mass + np.float32(1))
        out[line, column + 3] = np.float32(sums[high, 2] - sums[low, 2]) / np.float32(high - low)
    for line in range(begin, end):
        out[line, column + 1] = out[line, column] / (best + np.float32(1e-3))


@jit
def position(sums: Any, span: tuple[int, int], out: Any, column: int) -> None:
    """Fill where each line of a document stands, and what the document amounts to."""
    begin, end = span
    body, words = np.float32(sums[end, 0] - sums[begin, 0]), np.float32(sums[end, 1] - sums[begin, 1])
    lines, bodies = np.float32(end - begin), np.float32(sums[end, 2] - sums[begin, 2])
    log_lines, log_words, log_body = log(lines + 1), log(words + np.float32(1)), log(body + np.float32(1))
    for line in range(begin, end):
        row, before = out[line, column:], np.float32(line - begin)
        row[0] = np.float32(sums[line, 0] - sums[begin, 0]) / (body + np.float32(1e-3))
        row[1] = before / lines
        row[2] = log(before + np.float32(1))
        row[3] = log(lines - before + np.float32(1))
        row[4], row[5], row[6] = log_lines, log_words, log_body
        row[7], row[8] = body / words, bodies / lines


@jit
def context(
    values: Any, counts: Any, labels: Any, begin: Any, end: Any, title: Any, radii: Any, sums: Any, mass: Any, out: Any
) -> int:
    """Fill the context features of all lines that need the document as a whole, after the shared words.

    ``values`` are the first pass's probabilities, ``labels`` the columns of body and headline (-1: none) in them;
    ``sums`` are the running sums of ``values``. ``mass``, float64 [lines + 1, 3], is scratch; ``out`` has 8 columns
    of shared words before what is filled.
    """
    lines, body, headline = len(begin), labels[0], labels[1]
    mass[0] = 0
    for line in range(lines):
        words = np.float32(counts[line, WORDS] + 1)
        mass[line + 1, 0] = mass[line, 0] + values[line, body] * words
        mass[line + 1, 1] = mass[line, 1] + words
        mass[line + 1, 2] = mass[line, 2] + values[line, body]
        out[line, 8] = signed_log(line - title[line])
        best = values[title[line], headline] if headline >= 0 else np.float32(0)
        out[line, 9] = values[line, headline] / (best + np.float32(1e-3)) if headline >= 0 else 0
    first = 0
    column = 19 + 4 * len(radii)
    while first < lines:
        span = (first, end[first])
        position(mass, span, out, 10)
        for at in range(len(radii)):
            densities(mass, span, radii[at], out, 19 + 4 * at)
        distances(values[:, body], span, out, column)
        for line in range(span[0], span[1]):
            means(sums, span[0], span[1], line, radii[0], out[line, column + 4 :])
        first = span[1]
    return lines
