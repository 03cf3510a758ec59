"""Words that the lines of a document share; see `kernels.py` for how kernels are written."""

from typing import Any, NamedTuple

import numpy as np

from cleaner.alphabet import ALL_CAPS, CAPITALISED, IDEOGRAPH, TERMINAL
from cleaner.kernels import MULTIPLIER, Tokens, jit, log


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
def content_words(tokens: Tokens, line: int, start: int, out: Any) -> int:
    """Fill which tokens of a line carry meaning (long, capitalised, or an ideograph after another); returns how many.

    Each as twice its number in the document, whose first token is ``start``, and 1 more for a name. Nothing here
    depends on a guess of the processor's, which would be wrong at every other token.
    """
    begin, count = tokens.first[line], 0
    for at in range(begin, tokens.first[line + 1]):
        shape, before, length = tokens.shape[at], tokens.shape[max(at - 1, begin)], tokens.length[at]
        name = (shape == CAPITALISED) | (shape == ALL_CAPS)
        pair = (shape == IDEOGRAPH) & (before == IDEOGRAPH) & (at > begin)
        out[count] = 2 * (at - start) + name
        count += pair | ((length >= 5) & (shape < TERMINAL)) | (name & (length >= 3))
    return count


@jit
def content_key(tokens: Tokens, at: int) -> int:
    """Return the key of a word that carries meaning, of an ideograph that of the pair with the one before."""
    if tokens.shape[at] == IDEOGRAPH:
        return (tokens.word[at - 1] * 31 ^ tokens.word[at]) | 1
    return tokens.word[at] | 1


@jit
def rarity_row(key: int) -> int:
    """Return which number of the array ``rarity`` says how rare a word is."""
    return (key ^ (key >> 29) ^ (key >> 45)) & 0xFFFF


# What is known of a word of the document, one column each.
LINES, BODIES, TITLE, LAST, BEFORE, NEXT, AFTER, NUMBER = 0, 1, 2, 3, 4, 5, 6, 7
NEVER = -9


class Words(NamedTuple):
    """The words of a document in a hash table with open addressing."""

    keys: Any  # int64, 0: free
    #: int32 [places, 8]: lines with it, likely body lines, in the headline; the last two lines with it, from either
    #: end; its number in the document times 256, and how rare it is.
    slots: Any
    #: int32: line by line twice the place of each word that carries meaning, 1 more for a name; then how many.
    places: Any


@jit
def entered(words: Words, key: int) -> int:
    """Return the place of a key, which is entered if it is new."""
    place = find(words.keys, key)
    if words.keys[place] == 0:
        words.keys[place] = key
        words.slots[place, LINES] = 0
        words.slots[place, BODIES] = 0
        words.slots[place, TITLE] = 0
        for column in range(LAST, NUMBER + 1):
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
    rarity: Any,
    numbers: Any,
    sizes: Any,
    same: Any,
    out: Any,
) -> int:
    """Fill what every line's content words share with the rest of its document.

    ``end`` int64 [lines] is where the line's document ends, ``hashes`` are those of :func:`line_hashes`,
    ``values`` the first pass's probabilities, body in the column ``labels[0]``, ``title`` the number of the
    likely headline. The first 8 columns of ``out`` get: shares of the content words found in the previous
    line, the next line, any other line, another sure body line, the likely headline; the share that are
    names; the share of names that recur; and the log of how many lines of the document are the same.

    ``sizes``, int32 [lines], gets how many content words each line has, and ``numbers``, int32 [tokens], from its
    first token on their numbers: those of a document count from 0, in the order in which they come, times 256, and
    how rare the word is, by ``rarity``, uint8 [65536]. ``same``, int32 [lines], gets the first line of
    the document that has the same words, -1 where no other has.
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
        used, known = 0, 0
        for line in range(begin, end[begin]):
            about = (first[begin], used, values[line, labels[0]] > 0.5, line == title[begin])
            sizes[line], known = enter_line(tokens, line, words, about, (known, numbers, rarity), out)
            used += sizes[line] + 1
            same[line] = -1
            if hashes[line] != 0:
                slot = words.slots[entered(words, hashes[line])]
                slot[LAST] = line if slot[LINES] == 0 else slot[LAST]
                slot[LINES] += 1
                same[line] = slot[LAST]
        for line in range(end[begin] - 1, begin - 1, -1):
            count = words.places[used - 1]
            used -= count + 1
            share_line(line, words, (used, count, values[line, labels[0]] > 0.5, line == title[begin]), out)
            number = words.slots[find(words.keys, hashes[line]), LINES] if hashes[line] != 0 else 1
            out[line, 7] = log(number) if number > 1 else 0
            same[line] = same[line] if number > 1 else -1
        begin = end[begin]
    return lines


@jit
def enter_line(
    tokens: Tokens, line: int, words: Words, about: tuple[int, int, bool, bool], known: tuple[int, Any, Any], out: Any
) -> tuple[int, int]:
    """Enter the words of a line and fill the share found in the line before, and the share of names.

    ``about`` says which is the document's first token, how many ``places`` are filled, and whether the line is body,
    and its headline; ``known`` how many words the document has had, where their numbers go, and how rare words are.
    Returns how many words of meaning the line has, and how many words the document has had.
    """
    start, used, body, title = about
    had, numbers, rarity = known
    found, names = 0, 0
    count = content_words(tokens, line, start, words.places[used:])
    for number in range(used, used + count):
        at, name = start + (words.places[number] >> 1), words.places[number] & 1
        key = content_key(tokens, at)
        place = entered(words, key)
        words.places[number] = 2 * place + name
        slot = words.slots[place]
        if slot[NUMBER] < 0:
            slot[NUMBER] = had << 8 | rarity[rarity_row(key)]
            had += 1
        numbers[tokens.first[line] + number - used] = slot[NUMBER]
        if slot[LAST] != line:
            slot[BEFORE] = slot[LAST]
            slot[LAST] = line
            slot[LINES] += 1
            slot[BODIES] += body
            slot[TITLE] |= title
        found += slot[BEFORE] == line - 1
        names += name
    share = np.float32(1) / np.float32(max(count, 1))
    out[line, 0], out[line, 5] = found * share, names * share
    words.places[used + count] = count
    return count, had


@jit
def share_line(line: int, words: Words, about: tuple[int, int, bool, bool], out: Any) -> None:
    """Fill the other shares of a line, going backwards; all words of the document have been entered.

    ``about`` says where the line's words begin and how many there are, and whether the line is body, and the headline.
    """
    first, count, body, title = about
    following, others, bodies, titled, names, known = 0, 0, 0, 0, 0, 0
    for number in range(first, first + count):
        slot, name = words.slots[words.places[number] >> 1], words.places[number] & 1
        if slot[NEXT] != line:
            slot[AFTER] = slot[NEXT]
            slot[NEXT] = line
        following += slot[AFTER] == line + 1
        others += slot[LINES] > 1
        bodies += slot[BODIES] > body
        titled += slot[TITLE]
        names += name
        known += name & (slot[LINES] > 1)
    share = np.float32(1) / np.float32(max(count, 1))
    out[line, 1], out[line, 2], out[line, 3] = following * share, others * share, bodies * share
    out[line, 4] = 0 if title else titled * share
    out[line, 6] = np.float32(known) / np.float32(max(names, 1))


@jit
def gather_pairs(shape: Any, first: Any, span: tuple[int, int], out: Any) -> int:
    """Fill for each line of a span how many capitalised words after another it has, and their tokens.

    Returns how many numbers that are. Nothing is guessed, as in :func:`content_words`.
    """
    used = 0
    for line in range(span[0], span[1]):
        head, used = used, used + 1
        begin = used
        for at in range(first[line] + 1, first[line + 1]):
            out[used] = at
            used += (shape[at] == CAPITALISED) & (shape[at - 1] == CAPITALISED)
        out[head] = used - begin
    return used


@jit
def enter_pairs(word: Any, words: Words, line: int, span: tuple[int, int]) -> int:
    """Enter the pairs that some ``places`` name by their tokens, which become places in the table.

    The first line of a pair stands in the column of the last one. Returns how many of them stood on an earlier line.
    """
    early = 0
    for number in range(span[0], span[1]):
        at = words.places[number]
        key = (word[at - 1] * 31 ^ word[at]) | 1
        place = find(words.keys, key)
        slot = words.slots[place]
        if words.keys[place] == 0:
            words.keys[place], slot[LAST], slot[LINES] = key, line, 0
        slot[LINES] += 1
        early += slot[LAST] < line
        words.places[number] = place
    return early


@jit
def full_names(word: Any, shape: Any, first: Any, end: Any, keys: Any, slots: Any, places: Any, out: Any) -> int:
    """Fill what the pairs of capitalised words of each line say, [lines, 4].

    Their log count, how many recur in the document, how many stood on an earlier line, the share of those. ``keys``,
    ``slots`` and ``places`` are scratch.
    """
    lines = len(end)
    begin = 0
    while begin < lines:
        room, used = 16, gather_pairs(shape, first, (begin, end[begin]), places)
        while room < 2 * used:
            room *= 2
        words = Words(keys[:room], slots[:room], places)
        words.keys[:] = 0
        used = 0
        for line in range(begin, end[begin]):
            start, used = used + 1, used + 1 + places[used]
            early = enter_pairs(word, words, line, (start, used))
            out[line, 2], out[line, 3] = early, np.float32(early) / np.float32(max(used - start, 1))
        used = 0
        for line in range(begin, end[begin]):
            start, used = used + 1, used + 1 + places[used]
            again = 0
            for number in range(start, used):
                again += words.slots[places[number], LINES] > 1
            out[line, 0], out[line, 1] = log(1 + used - start), again
        begin = end[begin]
    return lines
