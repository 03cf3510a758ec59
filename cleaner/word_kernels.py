"""Words that the lines of a document share; see `kernels.py` for how kernels are written."""

from typing import Any, NamedTuple

from cleaner.alphabet import ALL_CAPS, CAPITALISED, IDEOGRAPH, TERMINAL
from cleaner.kernels import MULTIPLIER, Tokens, jit

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


class Scratch(NamedTuple):
    """A hash table with open addressing, as large as the largest document needs."""

    keys: Any  # int64, 0: free
    lines_with: Any  # int32, lines of the document that have the word
    bodies_with: Any  # int32, likely body lines that have it
    flags: Any  # uint8, 1: in the likely headline
    last: Any  # int64, the last line seen with it


@jit
def shared_words(
    word: Any,
    shape: Any,
    length: Any,
    first: Any,
    document: Any,
    hashes: Any,
    body: Any,
    title: Any,
    keys: Any,
    lines_with: Any,
    bodies_with: Any,
    flags: Any,
    last: Any,
    out: Any,
) -> int:
    """Fill what every line's content words share with the rest of its document.

    ``hashes`` are those of :func:`line_hashes`, ``body`` float32 [lines] is the first-pass score of body
    text, ``title`` int64 [lines] the number of the document's likely headline line. ``out`` is float32
    [lines, 8], zeroed: shares of the content words found in the previous line, the next line, any other
    line, another sure body line, the likely headline; the share that are names; the share of names that
    recur; and how many lines of the document are the same.
    """
    tokens = Tokens(word, word, word, shape, length, first)
    lines = len(document)
    begin = 0
    while begin < lines:
        end = begin + 1
        while end < lines and document[end] == document[begin]:
            end += 1
        room = 16
        while room < 2 * (first[end] - first[begin] + end - begin):
            room *= 2
        scratch = Scratch(keys[:room], lines_with[:room], bodies_with[:room], flags[:room], last[:room])
        share_in_document(tokens, (begin, end), scratch, (body, title, hashes, out))
        begin = end
    return lines


@jit
def count_words(tokens: Tokens, span: tuple[int, int], scratch: Scratch, arrays: Any) -> None:
    """Count in how many lines of a document each content word stands, and how often each line."""
    body, title, hashes, _ = arrays
    begin, end = span
    scratch.keys[:] = 0
    scratch.lines_with[:] = 0
    scratch.bodies_with[:] = 0
    scratch.flags[:] = 0
    scratch.last[:] = -9
    for line in range(begin, end):
        if hashes[line] != 0:
            place = find(scratch.keys, hashes[line])
            scratch.keys[place] = hashes[line]
            scratch.lines_with[place] += 1
        for at in range(tokens.first[line], tokens.first[line + 1]):
            key = content_word(tokens, at, line)
            if key == 0:
                continue
            place = find(scratch.keys, key)
            scratch.keys[place] = key
            if line == title[begin]:
                scratch.flags[place] = 1
            if scratch.last[place] != line:
                scratch.last[place] = line
                scratch.lines_with[place] += 1
                scratch.bodies_with[place] += 1 if body[line] > 0.5 else 0


@jit
def mark_words(tokens: Tokens, line: int, scratch: Scratch) -> None:
    """Note that a line has its content words."""
    for at in range(tokens.first[line], tokens.first[line + 1]):
        key = content_word(tokens, at, line)
        if key != 0:
            scratch.last[find(scratch.keys, key)] = line


@jit
def share_line(tokens: Tokens, line: int, scratch: Scratch, arrays: Any) -> None:
    """Fill what a line shares with the line before and the rest of the document; the last lines seen are known."""
    body, title, hashes, out = arrays
    words, names = 0, 0
    own = 1 if body[line] > 0.5 else 0
    for at in range(tokens.first[line], tokens.first[line + 1]):
        key = content_word(tokens, at, line)
        if key == 0:
            continue
        place = find(scratch.keys, key)
        words += 1
        recurs = scratch.lines_with[place] > 1
        name = tokens.shape[at] == CAPITALISED or tokens.shape[at] == ALL_CAPS
        names += 1 if name else 0
        out[line, 0] += 1 if scratch.last[place] == line - 1 else 0
        out[line, 2] += 1 if recurs else 0
        out[line, 3] += 1 if scratch.bodies_with[place] > own else 0
        out[line, 4] += 1 if scratch.flags[place] > 0 and title[line] != line else 0
        out[line, 6] += 1 if recurs and name else 0
    out[line, 5] = names
    out[line, 6] /= max(names, 1)
    for column in (0, 2, 3, 4, 5):
        out[line, column] /= max(words, 1)
    out[line, 7] = scratch.lines_with[find(scratch.keys, hashes[line])] if hashes[line] != 0 else 1


@jit
def share_next(tokens: Tokens, line: int, scratch: Scratch, arrays: Any) -> None:
    """Fill what a line shares with the line after it, going backwards."""
    out = arrays[3]
    words = 0
    for at in range(tokens.first[line], tokens.first[line + 1]):
        key = content_word(tokens, at, line)
        if key != 0:
            words += 1
            out[line, 1] += 1 if scratch.last[find(scratch.keys, key)] == line + 1 else 0
    out[line, 1] /= max(words, 1)


@jit
def share_in_document(tokens: Tokens, span: tuple[int, int], scratch: Scratch, arrays: Any) -> None:
    """Fill the rows of one document for :func:`shared_words`."""
    begin, end = span
    count_words(tokens, span, scratch, arrays)
    scratch.last[:] = -9
    for line in range(begin, end):
        share_line(tokens, line, scratch, arrays)
        mark_words(tokens, line, scratch)
    scratch.last[:] = -9
    for line in range(end - 1, begin - 1, -1):
        share_next(tokens, line, scratch, arrays)
        mark_words(tokens, line, scratch)
