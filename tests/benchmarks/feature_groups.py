"""Which columns of what the heads see belong to which group of features; `ablations.py` leaves each out in turn."""

import numpy as np

from cleaner.context import FAR, NEAR, NEIGHBOUR_COLUMNS, SHARED, WINDOWS, width
from cleaner.features import LINE_FEATURES
from cleaner.second_pass import HABITS, NAMES, PLACED, RELATED

#: Columns about words that the line shares with its document, and about its title.
SHARED_WORDS = SHARED + 2


def draft_groups(columns: int, labels: int) -> dict[str, list[int]]:
    """Return the columns of the draft head's inputs by group."""
    near, far = 2 * NEAR * (labels + len(NEIGHBOUR_COLUMNS) + columns), 2 * (FAR - NEAR) * (labels + 1)
    rest = width(labels, columns)[0] - SHARED_WORDS - near - far
    return both_groups(columns, labels) | spans(
        3 * columns + LINE_FEATURES + labels,
        {
            "words shared with the document, title": SHARED_WORDS,
            "neighbours at 1 and 2 lines": near,
            "neighbours at 3 and 4 lines": far,
            "document and windows": rest,
        },
    )


def final_groups(columns: int, labels: int) -> dict[str, list[int]]:
    """Return the columns of the final head's inputs by group."""
    near, kinds = 2 * NEAR * len(NEIGHBOUR_COLUMNS), columns - labels
    rest = width(labels, columns)[1] - SHARED_WORDS - near
    return both_groups(columns, labels) | spans(
        3 * columns + LINE_FEATURES + labels,
        {
            "words shared with the document, title": SHARED_WORDS,
            "shape of neighbours": near,
            "document and windows by the first pass": rest,
            "the draft's probabilities": labels,
            "the draft's probabilities of neighbours": 2 * FAR * labels,
            "document and windows by the draft": labels * (len(WINDOWS) + 4),
            "habits of the document": 2 * len(HABITS),
            "full names": NAMES,
            "words shared with lines of each label": RELATED,
            "stretches of body, likeliest headline": PLACED,
            "other lines of the same words": labels,
            "marks of credits, comments, other stories, dates": kinds * (len(WINDOWS) + 5),
        },
    )


def both_groups(columns: int, labels: int) -> dict[str, list[int]]:
    """Return the columns by group of what both heads see of a line itself."""
    lines = 3 * columns + LINE_FEATURES
    return {
        "text sums": list(range(3 * columns)),
        "text sums of first and last tokens": list(range(columns, 3 * columns)),
        "shape": list(range(3 * columns, lines)),
        "stretches, dates, white space": list(range(lines - 8, lines)),
        "first pass": list(range(lines, lines + labels)),
    }


def spans(start: int, sizes: dict[str, int]) -> dict[str, list[int]]:
    """Return the columns of groups of so many, one after the other from a column on."""
    stops = np.cumsum(list(sizes.values())) + start
    return {
        name: list(range(stop - size, stop)) for (name, size), stop in zip(sizes.items(), stops.tolist(), strict=True)
    }
