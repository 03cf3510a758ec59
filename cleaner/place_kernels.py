"""Where lines stand in their documents, as the draft head sees these; see `kernels.py` for how kernels are written.

The story is likely the longest stretch of body; what stands in others may be teasers or comments.
"""

from typing import Any

import numpy as np

from cleaner.alphabet import WORDS
from cleaner.context_kernels import FAR, signed_log
from cleaner.kernels import jit, log_of
from cleaner.related_kernels import any_of

GAP = 3  # so many lines may interrupt a stretch of body


@jit
def find_stretches(draft: Any, counts: Any, body: int, span: tuple[int, int], stretches: Any) -> tuple[int, int, int]:
    """Fill the stretches of likely body lines of a document: first line, last line, words, int64 [stretches, 3].

    At most :data:`GAP` other lines are between two lines of one. Returns how many there are, the longest by words, and
    the words of all.
    """
    number, longest, total = -1, 0, 0
    for line in range(span[0], span[1]):
        if draft[line, body] > np.float32(0.5):
            if number < 0 or line - stretches[number, 1] - 1 > GAP:
                number += 1
                stretches[number, 0], stretches[number, 2] = line, 0
            words = max(counts[line, WORDS], 1)
            stretches[number, 1] = line
            stretches[number, 2] += words
            total += words
            longest = number if stretches[number, 2] > stretches[longest, 2] else longest
    return number + 1, longest, total


@jit
def place_line(line: int, own: int, at: int, stretches: Any, found: tuple[int, int, int], row: Any) -> None:
    """Fill where a line stands among the stretches of its document.

    ``own`` is how many words it has if it is likely body, ``at`` the first stretch that ends at it or after it;
    ``found`` is what :func:`find_stretches` says.
    """
    number, longest, total = found
    inside = at < number and stretches[at, 0] <= line
    words = stretches[at, 2] if inside else 0
    after = at + 1 if inside else at
    row[0] = log_of(1 + words - own)
    row[1] = log_of(1 + stretches[at - 1, 2]) if at > 0 else 0
    row[2] = log_of(1 + stretches[after, 2]) if after < number else 0
    row[3], row[4], row[5], row[6] = 0, 0, 0, log_of(1 + number)
    row[7], row[8], row[9] = FAR, FAR, 0
    if number > 0:
        most = stretches[longest, 2]
        row[3] = signed_log(min(line - stretches[longest, 0], 0) + max(line - stretches[longest, 1], 0))
        row[4], row[5] = np.float32(most) / np.float32(total), np.float32(words) / np.float32(most)
        row[7], row[8] = signed_log(line - stretches[0, 0]), signed_log(line - stretches[number - 1, 1])


@jit
def place_by_headline(line: int, title: int, headline: int, draft: Any, row: Any) -> None:
    """Fill the log distance of a line to the likeliest headline of its document, its probability, the line's by it."""
    best = draft[title, headline] if headline >= 0 else np.float32(0)
    row[0], row[1] = signed_log(line - title), best
    row[2] = draft[line, headline] / (best + np.float32(1e-3)) if headline >= 0 else 0


@jit
def see_same(draft: Any, same: Any, line: int, most: Any, row: Any) -> None:
    """Raise what is known of other lines of the same words by those on one side, and add the line to these."""
    if same[line] >= 0:
        known = most[same[line]]
        for label in range(draft.shape[1]):
            row[label] = max(row[label], known[label])
            known[label] = max(known[label], draft[line, label])


@jit
def most_of_same(draft: Any, same: Any, span: tuple[int, int], most: Any, out: Any) -> None:
    """Fill for the lines of a document the largest probability of each label of other lines of the same words."""
    some = 0
    for line in range(span[0], span[1]):
        some |= same[line] >= 0
        for label in range(draft.shape[1]):
            out[line, label] = 0
    if not some:
        return
    most[span[0] : span[1]] = 0
    for line in range(span[0], span[1]):
        see_same(draft, same, line, most, out[line])
    most[span[0] : span[1]] = 0
    for line in range(span[1] - 1, span[0] - 1, -1):
        see_same(draft, same, line, most, out[line])


@jit
def place_lines(
    draft: Any, counts: Any, labels: Any, head: int, span: tuple[int, int], asked: Any, stretches: Any, out: Any
) -> None:
    """Fill the columns before those of the labels for a document's ``asked`` lines, ``head`` being its headline."""
    body, at = labels[0], 0
    found = find_stretches(draft, counts, body, span, stretches)
    lead = signed_log(stretches[0, 0] - head) if found[0] > 0 else FAR
    for line in range(span[0], span[1]):
        while at < found[0] and stretches[at, 1] < line:
            at += 1
        if asked[line] != 0:
            own = max(counts[line, WORDS], 1) if draft[line, body] > np.float32(0.5) else 0
            place_line(line, own, at, stretches, found, out[line])
            out[line, 9] = lead
            place_by_headline(line, head, labels[1], draft, out[line, 10:])


@jit
def placed(
    draft: Any,
    counts: Any,
    labels: Any,
    title: Any,
    begin: Any,
    end: Any,
    same: Any,
    asked: Any,
    stretches: Any,
    most: Any,
    out: Any,
) -> int:
    """Fill where the ``asked`` lines, uint8 [lines], stand in their documents, as the draft head sees these.

    Float32 [lines, 13 + labels]: log words of the other lines of the stretch of body that the line is in, of the
    stretch before and of the one after; log distance to the longest, its share of all, the share of its words that the
    own one has, log number of stretches; log distances to the first body line, to the last and from the likeliest
    headline to the first; log distance to that headline, its probability, the line's by it; and the largest
    probability of each label of other lines of the same words, the first of which ``same``, int32 [lines], names. What
    is in the rows of lines that are not asked about is no matter. ``stretches``, int64 [lines, 3], and ``most``,
    float32 [lines, labels], are scratch.
    """
    lines, first = len(begin), 0
    while first < lines:
        span, head = (first, end[first]), title[first]
        if any_of(asked, span):
            place_lines(draft, counts, labels, head, span, asked, stretches, out)
            most_of_same(draft, same, span, most, out[:, out.shape[1] - draft.shape[1] :])
        first = span[1]
    return lines
