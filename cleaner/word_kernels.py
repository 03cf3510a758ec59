"""Words that the lines of a document share; see `kernels.py` for how kernels are written."""

from typing import Any, NamedTuple

import numpy as np

from cleaner.alphabet import ALL_CAPS, CAPITALISED, IDEOGRAPH, TERMINAL
from cleaner.kernels import MULTIPLIER, Tokens, jit, log

__all__: list[str] = []


@jit
def find(table: Any, key: int) -> int:
    """Return the place of a key in an open-addressing table, or the free place where it belongs."""
    mask = len(table) - 1
    place = (key ^ (key >> 31)) & mask
    while table[place] != 0 and table[place] != key:
        place = (place + 1) & mask
    return place


@jit
def line_hashes(word: Any, first: Any, out: Any) -> int:
    """Fill a hash of every line's words, digits folded; 0 for a line without tokens."""
    lines = len(first) - 1
    for line in range(lines):
        mixed = 0
        for at in range(first[line], first[line + 1]):
            mixed = (mixed ^ word[at]) * MULTIPLIER
        out[line] = mixed | 1 if first[line + 1] > first[line] else 0
    return lines


@jit
def content_word(tokens: Tokens, at: int, line: int) -> int:
    """Return the key of a word that carries meaning (long, capitalised, or an ideograph pair), else 0."""
    shape = tokens.shape[at]
    if shape == IDEOGRAPH:
        if at > tokens.first[line] and tokens.shape[at - 1] == IDEOGRAPH:
            return (tokens.word[at - 1] * 31 ^ tokens.word[at]) | 1
        return 0
    long = tokens.length[at] >= 5 and shape < TERMINAL
    name = (shape == CAPITALISED or shape == ALL_CAPS) and tokens.length[at] >= 3
    return tokens.word[at] | 1 if long or name else 0


# What is known of a word of the document, one column each.
LINES, BODIES, TITLE, LAST, BEFORE, NEXT, AFTER = 0, 1, 2, 3, 4, 5, 6
NEVER = -9


class Words(NamedTuple):
    """The words of a document in a hash table with open addressing."""

    keys: Any  # int64, 0: free
    slots: Any  # int32 [places, 7]: lines with it, likely body lines, in the headline; the last two lines with it
    places: Any  # int32, the place of each token of the document, -1: no word that counts


@jit
def entered(words: Words, key: int) -> int:
    """Return the place of a key, which is entered if it is new."""
    place = find(words.keys, key)
    if words.keys[place] == 0:
        words.keys[place] = key
        words.slots[place, LINES] = 0
        words.slots[place, BODIES] = 0
        words.slots[place, TITLE] = 0
        for column in range(LAST, AFTER + 1):
            words.slots[place, column] = NEVER
    return place


@jit
def shared_words(
    word: Any,
    shape: Any,
    length: Any,
    first: Any,
    end: Any,
    hashes: Any,
    values: Any,
    labels: Any,
    title: Any,
    keys: Any,
    slots: Any,
    places: Any,
    out: Any,
) -> int:
    """Fill what every line's content words share with the rest of its document.

    ``end`` int64 [lines] is where the line's document ends, ``hashes`` are those of :func:`line_hashes`,
    ``values`` the first pass's probabilities, body in the column ``labels[0]``, ``title`` the number of the
    likely headline. The first 8 columns of ``out`` get: shares of the content words found in the previous
    line, the next line, any other line, another sure body line, the likely headline; the share that are
    names; the share of names that recur; and the log of how many lines of the document are the same.
    """
    tokens = Tokens(word, word, word, shape, length, first)
    lines = len(end)
    begin = 0
    while begin < lines:
        room = 16
        while room < 2 * (first[end[begin]] - first[begin] + end[begin] - begin):
            room *= 2
        words = Words(keys[:room], slots[:room], places)
        words.keys[:] = 0
        for line in range(begin, end[begin]):
            enter_line(tokens, line, words, (first[begin], values[line, labels[0]] > 0.5, line == title[begin]), out)
            if hashes[line] != 0:
                words.slots[entered(words, hashes[line]), LINES] += 1
        for line in range(end[begin] - 1, begin - 1, -1):
            share_line(tokens, line, words, (first[begin], values[line, labels[0]] > 0.5, line == title[begin]), out)
            same = words.slots[find(words.keys, hashes[line]), LINES] if hashes[line] != 0 else 1
            out[line, 7] = log(same) if same > 1 else 0
        begin = end[begin]
    return lines


@jit
def enter_line(tokens: Tokens, line: int, words: Words, about: tuple[int, bool, bool], out: Any) -> None:
    """Enter the words of a line and fill the share found in the line before, and the share of names.

    ``about`` says which is the document's first token, and whether the line is body, and its headline.
    """
    start, body, title = about
    count, found, names = 0, 0, 0
    for at in range(tokens.first[line], tokens.first[line + 1]):
        key = content_word(tokens, at, line)
        words.places[at - start] = -1
        if key == 0:
            continue
        place = entered(words, key)
        words.places[at - start] = place
        slot = words.slots[place]
        if slot[LAST] != line:
            slot[BEFORE] = slot[LAST]
            slot[LAST] = line
            slot[LINES] += 1
            slot[BODIES] += body
            slot[TITLE] |= title
        count += 1
        found += slot[BEFORE] == line - 1
        names += tokens.shape[at] == CAPITALISED or tokens.shape[at] == ALL_CAPS
    share = np.float32(1) / np.float32(max(count, 1))
    out[line, 0], out[line, 5] = found * share, names * share


@jit
def share_line(tokens: Tokens, line: int, words: Words, about: tuple[int, bool, bool], out: Any) -> None:
    """Fill the other shares of a line, going backwards; all words of the document have been entered."""
    start, body, title = about
    count, following, others, bodies, titled, names, known = 0, 0, 0, 0, 0, 0, 0
    for at in range(tokens.first[line], tokens.first[line + 1]):
        place = words.places[at - start]
        if place < 0:
            continue
        slot = words.slots[place]
        if slot[NEXT] != line:
            slot[AFTER] = slot[NEXT]
            slot[NEXT] = line
        count += 1
        following += slot[AFTER] == line + 1
        others += slot[LINES] > 1
        bodies += slot[BODIES] > body
        titled += slot[TITLE]
        name = tokens.shape[at] == CAPITALISED or tokens.shape[at] == ALL_CAPS
        names += name
        known += name and slot[LINES] > 1
    share = np.float32(1) / np.float32(max(count, 1))
    out[line, 1], out[line, 2], out[line, 3] = following * share, others * share, bodies * share
    out[line, 4] = 0 if title else titled * share
    out[line, 6] = np.float32(known) / np.float32(max(names, 1))


@jit
def capital_pair(tokens: Tokens, at: int, line: int) -> int:
    """Return the key of a capitalised word after another on the line, else 0."""
    if tokens.shape[at] != CAPITALISED or at == tokens.first[line] or tokens.shape[at - 1] != CAPITALISED:
        return 0
    return (tokens.word[at - 1] * 31 ^ tokens.word[at]) | 1


@jit
def full_names(word: Any, shape: Any, first: Any, end: Any, keys: Any, slots: Any, out: Any) -> int:
    """Fill what the pairs of capitalised words of each line say, [lines, 4].

    Their log count, how many recur in the document, how many stood on an earlier line, the share of those.
    """
    tokens = Tokens(word, word, word, shape, shape, first)
    lines = len(end)
    begin = 0
    while begin < lines:
        room = 16
        while room < 2 * (first[end[begin]] - first[begin]):
            room *= 2
        words = Words(keys[:room], slots[:room], keys)
        words.keys[:] = 0
        for line in range(begin, end[begin]):
            pairs, early = 0, 0
            for at in range(first[line], first[line + 1]):
                key = capital_pair(tokens, at, line)
                if key != 0:
                    place = entered(words, key)
                    if words.slots[place, LAST] == NEVER:
                        words.slots[place, LAST] = line
                    words.slots[place, LINES] += 1
                    early += words.slots[place, LAST] < line
                    pairs += 1
            row = out[line]
            row[0], row[1], row[2] = log(1 + pairs), 0, early
            row[3] = np.float32(early) / np.float32(max(pairs, 1))
        for line in range(begin, end[begin]):
            last = first[line + 1] if out[line, 0] > 0 else first[line]
            for at in range(first[line], last):
                key = capital_pair(tokens, at, line)
                if key != 0 and words.slots[find(words.keys, key), LINES] > 1:
                    out[line, 1] += 1
        begin = end[begin]
    return lines
