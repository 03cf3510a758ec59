"""Which columns of what the heads see belong to which group of features; `ablations.py` leaves each out in turn."""

from cleaner.context import FAR, NEAR, NEIGHBOUR_COLUMNS, SHARED, WINDOWS, width
from cleaner.features import LINE_FEATURES
from cleaner.second_pass import HABITS, NAMES, PLACED, RELATED

#: Columns about words that the line shares with its document, and about its title.
SHARED_WORDS = SHARED + 2


def draft_groups(columns: int, labels: int) -> dict[str, list[int]]:
    """Return the columns of the draft head's inputs by group."""
    near, far = 2 * NEAR * (labels + len(NEIGHBOUR_COLUMNS) + columns), 2 * (FAR - NEAR) * (labels + 1)
    rest = width(labels, columns)[0] - SHARED_WORDS - near - far
    context = {"neighbours at 1 and 2 lines": near, "neighbours at 3 and 4 lines": far, "document and windows": rest}
    return groups(columns, labels, context)


def final_groups(columns: int, labels: int) -> dict[str, list[int]]:
    """Return the columns of the final head's inputs by group."""
    near, kinds = 2 * NEAR * len(NEIGHBOUR_COLUMNS), columns - labels
    context = {
        "shape of neighbours": near,
        "document and windows by the first pass": width(labels, columns)[1] - SHARED_WORDS - near,
        "the draft's probabilities": labels,
        "the draft's probabilities of neighbours": 2 * FAR * labels,
        "document and windows by the draft": labels * (len(WINDOWS) + 4),
        "habits of the document": 2 * len(HABITS),
        "full names": NAMES,
        "words shared with lines of each label": RELATED,
        "stretches of body, likeliest headline": PLACED,
        "other lines of the same words": labels,
        "marks of credits, comments, other stories, dates": kinds * (len(WINDOWS) + 5),
    }
    return groups(columns, labels, context)


def groups(columns: int, labels: int, context: dict[str, int]) -> dict[str, list[int]]:
    """Return the columns by group: of a line itself, as both heads see it, and then so many of each of ``context``."""
    lines = 3 * columns + LINE_FEATURES
    found = {
        "text sums": list(range(3 * columns)),
        "text sums of first and last tokens": list(range(columns, 3 * columns)),
        "shape": list(range(3 * columns, lines)),
        "stretches, dates, white space": list(range(lines - 8, lines)),
        "first pass": list(range(lines, lines + labels)),
    }
    start = lines + labels
    for name, size in {"words shared with the document, title": SHARED_WORDS, **context}.items():
        found[name] = list(range(start, start + size))
        start += size
    return found
