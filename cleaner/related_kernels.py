"""What lines share with lines of each label, as the draft head sees them; see `kernels.py` for how kernels are written.

Words that carry meaning have numbers in their document (`word_kernels.shared_words`), so that nothing is looked up, and
count by how rare they are.
"""

from typing import Any, NamedTuple

import numpy as np

from cleaner.kernels import Tokens, jit, log
from cleaner.word_kernels import content_key, content_words, rarity_row

# What is known of a word of the document, one column each: how many lines of body, of junk and of neither have it; the
# last body line that has it, and the one before; the next one; the last line looked at; whether it is in the headline.
BODIES, JUNKS, OTHERS, LAST, BEFORE, NEXT, SEEN, TITLE = 0, 1, 2, 3, 4, 5, 6, 7
NO_LINE = -2
UNIT = np.float32(1 / 8)  # rarity is told in eighths
NONE = np.float32(6)  # stands for the log distance to a body line that there is none of


class Related(NamedTuple):
    """The words of the lines of a batch, and what is known of those of one document."""

    first: Any  # int64 [lines + 1], where the numbers of each line's words begin
    numbers: Any  # int32, the number of a word in the document times 256, and how rare it is
    sizes: Any  # int32 [lines], how many words each line has
    known: Any  # int32 [words, 8]
    #: int32 [lines, 4]: what the words count that are in the last body line before, and in the one before that; how far
    #: the last is; what all words count.
    near: Any


@jit
def label_group(draft: Any, line: int, labels: Any) -> int:
    """Return the column of what a line likely is: body, junk or neither."""
    if draft[line, labels[0]] > np.float32(0.5):
        return BODIES
    return JUNKS if labels[2] >= 0 and draft[line, labels[2]] > np.float32(0.5) else OTHERS


@jit
def enter_words(words: Related, draft: Any, labels: Any, span: tuple[int, int], title: int) -> int:
    """Enter the words of a document and fill ``near``; returns what the different ones of the headline count.

    Lines count from 1, so that 0 is none. Nothing here depends on a guess of the processor's, as in
    `word_kernels.content_words`.
    """
    titled, last, before, total = 0, NO_LINE, NO_LINE, 0
    for line in range(span[0], span[1]):
        total += words.sizes[line]
    words.known[:total] = 0
    for line in range(span[0], span[1]):
        place, column, is_title = line - span[0] + 1, label_group(draft, line, labels), line == title
        begin, near = words.first[line], words.near[line]
        stop, first, second, own = begin + words.sizes[line], 0, 0, 0
        for at in range(begin, stop):
            word, rare = words.known[words.numbers[at] >> 8], words.numbers[at] & 255
            own += rare
            first += rare * (word[LAST] == last)
            second += rare * ((word[LAST] == before) | ((word[LAST] == last) & (word[BEFORE] == before)))
        near[0], near[1], near[2], near[3] = first, second, place - last if last > 0 else 0, own
        for at in range(begin, stop):
            word, rare = words.known[words.numbers[at] >> 8], words.numbers[at] & 255
            fresh = word[SEEN] != place
            word[SEEN] = place
            word[column] += fresh
            word[TITLE] |= is_title
            titled += rare * (fresh & is_title)
            if column == BODIES:
                word[BEFORE] = word[LAST] if fresh else word[BEFORE]
                word[LAST] = place
        if column == BODIES:
            before, last = last, place
    return titled


@jit
def relate(words: Related, line: int, own: int, following: int, row: Any) -> int:
    """Fill what words count that are in the next body line, in others of body, junk, neither, and in the headline.

    ``own`` is the line's column. Returns what the different ones count that are in the headline.
    """
    after, bodies, junks, others, title, different = 0, 0, 0, 0, 0, 0
    for at in range(words.first[line], words.first[line] + words.sizes[line]):
        word, rare = words.known[words.numbers[at] >> 8], words.numbers[at] & 255
        after += rare * (word[NEXT] == following + 1)
        bodies += rare * (word[BODIES] > (own == BODIES))
        junks += rare * (word[JUNKS] > (own == JUNKS))
        others += rare * (word[OTHERS] > (own == OTHERS))
        title += rare * (word[TITLE] != 0)
        different += rare * ((word[TITLE] != 0) & (word[SEEN] != ~line))
        word[SEEN] = ~line
    row[1], row[3], row[4], row[5], row[6] = after, bodies, junks, others, title
    return different


@jit
def write_shares(row: Any, size: int, between: int, titled: tuple[int, int], gaps: tuple[int, int]) -> None:
    """Turn what a line's shared words count, seven sums, into shares and logarithms, and add the rest.

    ``size`` is what all its words count, ``between`` those of the body line after, ``titled`` the different ones of the
    headline that it has, and all of those; ``gaps`` are the lines to the body lines before and after, 0: none.
    """
    for at in range(7):
        count = row[at]
        row[7 + at] = log(count * UNIT + 1)
        row[at] = count / np.float32(max(between if at == 2 else size, 1))
    row[14] = np.float32(titled[0]) / np.float32(max(titled[1], 1))
    row[15] = log(1 + (size - row[3] * size) * UNIT)
    row[16] = log(1 + gaps[0]) if gaps[0] > 0 else NONE
    row[17] = log(1 + gaps[1]) if gaps[1] > 0 else NONE


@jit
def relate_lines(
    words: Related, draft: Any, labels: Any, span: tuple[int, int], headline: tuple[int, int], asked: Any, out: Any
) -> None:
    """Fill the rows of the ``asked`` lines of a document, from its end on.

    ``headline`` is the line that is likeliest one, and what its different words count.
    """
    title, titled = headline
    following = NO_LINE
    for line in range(span[1] - 1, span[0] - 1, -1):
        own, near = label_group(draft, line, labels), words.near[line]
        if asked[line] != 0:
            row, between, after = out[line], 0, 0
            different = relate(words, line, own, following, row)
            if line == title:
                row[6], different = 0, 0
            if following >= 0:
                after = following - line
                between = words.near[following, 3]
            row[0], row[2] = near[0], 0
            if near[2] > 0 and following >= 0:
                row[2] = words.near[following, 1 if own == BODIES else 0]
            write_shares(row, near[3], between, (different, titled), (near[2], after))
        if own == BODIES:
            for at in range(words.first[line], words.first[line] + words.sizes[line]):
                words.known[words.numbers[at] >> 8, NEXT] = line + 1
            following = line


@jit
def any_of(asked: Any, span: tuple[int, int]) -> bool:
    """Tell whether any line of a document is ``asked`` about."""
    found = 0
    for line in range(span[0], span[1]):
        found |= asked[line]
    return found != 0


@jit
def related(
    first: Any,
    numbers: Any,
    sizes: Any,
    begin: Any,
    end: Any,
    draft: Any,
    labels: Any,
    title: Any,
    asked: Any,
    known: Any,
    near: Any,
    out: Any,
) -> int:
    """Fill what the ``asked`` lines, uint8 [lines], share with others, float32 [lines, 18]; the other rows are left.

    Words count by how rare they are. Shares of the words that carry meaning that are in the last body line before, in
    the next one, in both these (of the next one's words), in any other body line, in other lines of junk, in those that
    are neither, and in the likeliest headline; the logarithms of the same numbers; the share of the headline's words
    that the line has; the logarithm of what is in no other body line; and the log distances to the body lines before
    and after.
    ``labels`` are the columns of body, headline and junk, -1: none; ``title`` is that of `context_kernels.titles`.
    ``known`` and ``near`` are scratch.
    """
    words = Related(first, numbers, sizes, known, near)
    lines, start = len(begin), 0
    while start < lines:
        stop = end[start]
        if any_of(asked, (start, stop)):
            titled = enter_words(words, draft, labels, (start, stop), title[start])
            relate_lines(words, draft, labels, (start, stop), (title[start], titled), asked, out)
        start = stop
    return lines


@jit
def count_texts(
    word: Any, shape: Any, length: Any, first: Any, document: Any, places: Any, last: Any, having: Any
) -> int:
    """Add to ``having``, int64 [65536], how many documents have words of each place; returns how many there are.

    ``document``, int64 [lines], ascends; ``last``, int64 [65536], is that in which a place was last, -1 to begin with.
    ``places``, int32 [tokens + 1], is scratch.
    """
    tokens, number = Tokens(word, word, word, shape, length, first), 0
    for line in range(len(document)):
        number += line == 0 or document[line] != document[line - 1]
        for at in range(content_words(tokens, line, first[line], places)):
            row = rarity_row(content_key(tokens, first[line] + (places[at] >> 1)))
            having[row] += last[row] != document[line]
            last[row] = document[line]
    return number
