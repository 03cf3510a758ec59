"""Draft judgements to features of the second pass; see `context_kernels.py` for what the parameters are."""

from typing import Any

import numpy as np

from cleaner.context_kernels import known, means, move, neighbours
from cleaner.kernels import exp, jit, log

NONE = np.float32(6)  # stands for the log distance to a mark that there is none of


@jit
def habits(lines: Any, columns: Any, weights: Any, begin: Any, end: Any, mean: Any) -> int:
    """Fill the means of some columns over each document, weighted by the first column of ``weights``.

    ``mean`` is float64 [lines, columns + 1]; the last column is scratch.
    """
    last = len(columns)
    for line in range(len(begin)):
        row, weight = mean[begin[line]], weights[line, 0]
        if line == begin[line]:
            row[:] = 0
            row[last] = 0.1
        row[last] += weight
        for at in range(last):
            row[at] += lines[line, columns[at]] * weight
        if line + 1 == end[line]:
            for at in range(last):
                row[at] /= row[last]
    return len(begin)


@jit
def marks(lines: Any, column: int, sure: int, begin: Any, score: Any, flat: Any, gap: Any) -> int:
    """Fill scores between 0 and 1 of the text sums from a column on, and how many lines ago one was sure, -1: none.

    A score above ``sure`` hundredths is sure; ``flat`` is the same memory as ``score``.
    """
    floor = np.float32(sure / 100)
    kinds = score.shape[1]
    for line in range(len(begin)):
        for kind in range(kinds):
            score[line, kind] = np.float32(-3) * lines[line, column + kind]
    for at in range(len(flat)):
        raw = min(flat[at], np.float32(20))
        flat[at] = np.float32(1) / (np.float32(1) + exp(max(raw, np.float32(-20))))
    for line in range(len(begin)):
        for kind in range(kinds):
            past = gap[line - 1, kind] if line > begin[line] else np.float32(-1)
            gap[line, kind] = np.float32(0) if score[line, kind] > floor else past + 1 if past >= 0 else past
    return len(begin)


@jit
def amounts(
    draft: Any, sums: Any, marked: Any, gap: Any, begin: Any, end: Any, chosen: Any, logs: Any, flat: Any
) -> int:
    """Fill all logarithms that the second pass needs of the ``chosen`` lines; ``flat`` is the same memory as ``logs``.

    Of the draft's probabilities, of their sums before the line and in the document, of the marks' sums, and of the
    distances to the last sure mark.
    """
    labels, kinds = sums.shape[1], marked.shape[1]
    one = np.float32(1)
    for number in range(len(chosen)):
        line, row = chosen[number], logs[number]
        first, last = begin[line], end[line]
        for at in range(labels):
            row[at] = draft[line, at] + np.float32(1e-4)
            row[labels + at] = max(np.float32(sums[line, at] - sums[first, at]), np.float32(0)) + one
            row[2 * labels + at] = np.float32(sums[last, at] - sums[first, at]) + one
        row = row[3 * labels :]
        for at in range(kinds):
            row[at] = max(np.float32(marked[line, at] - marked[first, at]), np.float32(0)) + one
            row[kinds + at] = np.float32(marked[last, at] - marked[first, at]) + one
            row[2 * kinds + at] = max(gap[line, at], np.float32(0)) + one
    for at in range(len(flat)):
        flat[at] = log(flat[at])
    return len(chosen)


@jit
def averages(sums: Any, radii: Any, span: tuple[int, int, int], row: Any) -> int:
    """Fill the means over windows around a line, from running sums; returns the number of values."""
    line, begin, end = span
    columns = sums.shape[1]
    for at in range(len(radii)):
        means(sums, begin, end, line, radii[at], row[at * columns :])
    return len(radii) * columns


@jit
def judged(draft: Any, sums: Any, most: Any, logs: Any, span: tuple[int, int, int], row: Any) -> int:
    """Fill what draft probabilities say of a document; returns the number of values.

    Log sum, share of the largest, share of the sum before the line, log sum before.
    """
    labels = sums.shape[1]
    line, begin, end = span
    for label in range(labels):
        total = np.float32(sums[end, label] - sums[begin, label])
        before = np.float32(sums[line, label] - sums[begin, label])
        row[label] = logs[2 * labels + label]
        row[labels + label] = draft[line, label] / (most[begin, label] + np.float32(1e-3))
        row[2 * labels + label] = before / (total + np.float32(1e-3))
        row[3 * labels + label] = logs[labels + label]
    return 4 * labels


@jit
def marked(sums: Any, gap: Any, logs: Any, span: tuple[int, int, int], row: Any) -> int:
    """Fill what marks say of a document; returns the number of values.

    Share of the sum before the line, log sum before, log sum, log distance to the last sure one.
    """
    kinds = sums.shape[1]
    line, begin, end = span
    for kind in range(kinds):
        total = np.float32(sums[end, kind] - sums[begin, kind])
        before = max(np.float32(sums[line, kind] - sums[begin, kind]), np.float32(0))
        row[kind] = before / (total + np.float32(1e-3))
        row[kinds + kind] = logs[kind]
        row[2 * kinds + kind] = logs[kinds + kind]
        row[3 * kinds + kind] = logs[2 * kinds + kind] if gap[line, kind] >= 0 else NONE
    return 4 * kinds


@jit
def final_rows(
    lines: Any,
    values: Any,
    whole: Any,
    beside: Any,
    begin: Any,
    end: Any,
    reach: Any,
    radii: Any,
    draft: Any,
    sums: Any,
    most: Any,
    columns: Any,
    mean: Any,
    names: Any,
    told: Any,
    placed: Any,
    score: Any,
    score_sums: Any,
    gap: Any,
    logs: Any,
    chosen: Any,
    out: Any,
) -> int:
    """Fill what the final head sees of the lines with the ``chosen`` numbers, [lines, features].

    The first seven parameters are as for `context_kernels.draft_rows`, ``reach`` having besides where the columns of
    ``beside`` end that are shown; then what :func:`judged` sees, the habits' columns of ``lines`` and their means,
    names [lines, names], what lines share with each label, what `place_kernels.placed` says, and what :func:`marked`
    sees. ``logs`` [chosen lines, values] are those of :func:`amounts`.
    """
    near, far, before = reach[0], reach[1], reach[3]
    labels, more, count = values.shape[1], whole.shape[1], len(columns)
    shown = (labels, reach[4])
    for number in range(len(out)):
        line, row = chosen[number], out[number]
        span = (line, begin[line], end[line])
        place = known(lines, values, line, row)
        move(whole[line], row[place:], before)
        place += before
        place += neighbours(beside, shown, span, (1, near), row[place:])
        move(whole[line, before:], row[place:], more - before)
        place += more - before
        move(logs[number], row[place:], labels)
        place += labels
        place += neighbours(draft, (0, labels), span, (1, far), row[place:])
        place += averages(sums, radii, span, row[place:])
        place += judged(draft, sums, most, logs[number], span, row[place:])
        usual = mean[begin[line]]
        for at in range(count):
            row[place + at] = usual[at]
            row[place + count + at] = lines[line, columns[at]] - usual[at]
        place += 2 * count
        move(names[line], row[place:], names.shape[1])
        place += names.shape[1]
        move(told[line], row[place:], told.shape[1])
        place += told.shape[1]
        move(placed[line], row[place:], placed.shape[1])
        place += placed.shape[1]
        move(score[line], row[place:], score.shape[1])
        place += score.shape[1]
        place += averages(score_sums, radii, span, row[place:])
        place += marked(score_sums, gap, logs[number, 3 * labels :], span, row[place:])
    return len(out)
