"""The features and the probabilities in plain numpy: slow, short, and what the kernels must agree with.

Nothing here is shared with the kernels but the tokens, which `test_reference.py` checks on their own.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cleaner import alphabet as a
from cleaner.context import FAR, NEAR, NEIGHBOUR_COLUMNS, WINDOWS
from cleaner.features import EDGE_TOKENS, FIRST_GROUPS, LAST_GROUPS, Batch, Tokens
from cleaner.model import Model
from cleaner.network import HEAD
from cleaner.second_pass import HABITS

__all__ = ["probabilities", "text_sums"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
MULTIPLIER = np.int64(0x2545F4914F6CDD1D)
DOCUMENT = np.int64(0x9E3779B97F4A7C1)
SURE, NO_MARK = 0.6, 6.0


@dataclass(frozen=True)
class FirstPass:
    """What is known of the lines before context: shape, probabilities, and the columns that matter."""

    shape: Floats  # [lines, shape features]
    scores: Floats  # [lines, columns of the text table]
    probability: Floats  # [lines, labels]
    body: int
    headline: int  # -1: the model has no such label


def softmax(logits: Floats) -> Floats:
    """Return probabilities, rows summing to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)


def slot(mixed: Ints, mask: int) -> Ints:
    """Return the table rows of hashes."""
    mixed = mixed * MULTIPLIER
    return ((mixed >> 29) ^ (mixed >> 45)) & mask


def before(values: Ints, by: int, place: Ints, missing: int) -> Ints:
    """Return the values ``by`` tokens earlier on the line; ``place`` is where each token stands on its line."""
    return np.where(place >= by, np.roll(values, by), missing)


def token_rows(tokens: Tokens, mask: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the table rows of every token, [tokens, 5], and which of them there are."""
    word, shape = tokens.word, tokens.shape.astype(np.int64)
    place = np.arange(len(word)) - np.repeat(tokens.first[:-1], np.diff(tokens.first))
    word1, word2 = before(word, 1, place, 1), before(word, 2, place, 1)
    shape1, shape2 = before(shape, 1, place, 0), before(shape, 2, place, 0)
    signs = (shape == a.IDEOGRAPH) & (shape1 == a.IDEOGRAPH) & (shape2 == a.IDEOGRAPH)
    start = np.where(signs, word2 * 131 ^ word1 * 31 ^ word ^ 0x2F, tokens.prefix ^ 0x1B873593)
    grams = [word, word1 * 31 ^ word ^ 0x5BD1E995, (shape2 << 10 | shape1 << 5 | shape) + 0x10001, start]
    grams.append(tokens.suffix ^ 0x38B34AE5)
    there = np.ones((len(word), 5), np.bool_)
    there[:, 3], there[:, 4] = signs | (tokens.prefix != 0), tokens.suffix != 0
    return np.stack([slot(gram, mask) for gram in grams], axis=1), there


def line_row(words: Ints, mask: int) -> int:
    """Return the table row of a line as a whole."""
    mixed = np.int64(0x7F4A7C15)
    if len(words) > 8:
        mixed, words = np.int64(0x3C6EF372), words[-2:]
    for word in words:
        mixed = (mixed ^ word) * MULTIPLIER
    return int(slot(np.array(mixed), mask))


def text_sums(tokens: Tokens, table: Floats) -> Floats:
    """Return the table sums of every line, its first and its last tokens."""
    with np.errstate(over="ignore"):
        rows, there = token_rows(tokens, len(table) - 1)
        values = (table[rows] * there[:, :, None]).sum(axis=1, dtype=np.float64)
        number = there.sum(axis=1)
        out = np.zeros((len(tokens.first) - 1, 3, table.shape[1]))
        for line, (begin, end) in enumerate(zip(tokens.first[:-1], tokens.first[1:], strict=True)):
            if begin == end:
                continue
            spans = [(begin, end), (begin, min(begin + EDGE_TOKENS, end)), (max(end - EDGE_TOKENS, begin), end)]
            for part, (first, last) in enumerate(spans):
                out[line, part] = values[first:last].sum(axis=0)
                count = number[first:last].sum()
                if part == 0:
                    out[line, 0] += table[line_row(tokens.word[begin:end], len(table) - 1)]
                    count += 1
                out[line, part] /= np.sqrt(count)
    return out.reshape(len(out), 3 * table.shape[1]).astype(np.float32)


def one_hot(values: Ints, groups: list[tuple[int, ...]]) -> Floats:
    """Return a column for each group of token shapes: 1 where the value is in it."""
    return np.stack([np.isin(values, group) for group in groups], axis=1).astype(np.float32)


def patterns(shape: Ints) -> list[int]:
    """Return what the token shapes of a line say.

    Year, time of day, date; shapes of the first, the last and the one before; sentence ends, times, dates.
    """
    found = [0, 0, 0, *(shape[0:1] or [0]), *(shape[-1:] or [0]), *(shape[-2:-1] or [0])]
    times, dates = 0, 0
    for at, one in enumerate(shape):
        found[0] |= one == a.FOUR_DIGITS
        if at >= 2 and one in (a.TWO_DIGITS, a.FOUR_DIGITS) and a.ONE_DIGIT <= shape[at - 2] <= a.FOUR_DIGITS:
            times += one == a.TWO_DIGITS and shape[at - 1] in (a.COLON, a.TERMINAL)
            dates += shape[at - 1] in (a.SLASH, a.TERMINAL, a.DASH)
    found[1:3] = times > 0, dates > 0
    return [*map(int, found), sum(one in (a.TERMINAL, a.QUESTION) for one in shape[:-3]), times, dates]


def stretches(shape: list[int]) -> list[int]:
    """Return the words of the longest part and of the longest, first and last sentence of a line."""
    signs = "".join(
        "w" if one < a.TERMINAL else "." if one <= a.QUESTION else "," if one <= a.COLON else "" for one in shape
    )
    sentences = [len(part.replace(",", "")) for part in signs.split(".")]
    some = [words for words in sentences if words] or [0]
    return [max(map(len, signs.replace(",", ".").split("."))), max(some), some[0], some[-1]]


def line_features(batch: Batch) -> Floats:
    """Return the shape features of every line."""
    t, counts = batch.tokens, batch.counts
    spans = list(zip(t.first[:-1], t.first[1:], strict=True))
    shapes = np.array([np.bincount(t.shape[b:e], minlength=a.CLASSES) for b, e in spans]).reshape(-1, a.CLASSES)
    inside = np.array([t.length[b:e][t.shape[b:e] < a.TERMINAL].sum() for b, e in spans])
    found = np.array([patterns(t.shape[b:e].tolist()) for b, e in spans]).reshape(-1, 9)
    longest = np.array([stretches(t.shape[b:e].tolist()) for b, e in spans]).reshape(-1, 4)
    words, sentences = shapes[:, : a.TERMINAL].sum(axis=1), found[:, 6]
    share, total = np.maximum(words, 1), np.maximum(counts[:, a.CHARACTERS], 1)
    ended = np.isin(found[:, 4], (13, 14)) | (np.isin(found[:, 4], (21, 22)) & np.isin(found[:, 5], (13, 14)))
    columns = [
        np.log1p(counts[:, a.CHARACTERS]),
        np.log1p(words),
        inside / share,
        counts[:, a.CAPITALS] / np.maximum(counts[:, a.LETTERS], 1),
        counts[:, a.FIGURES] / total,
        counts[:, a.MARKS] / total,
        np.log1p(words // (sentences + 1)),
        np.log1p(sentences),
        ended,
        *found[:, :3].T,
        *counts[:, a.INDENTED : a.BLANK_AFTER + 1].T,
    ]
    groups = [shapes[:, 1:13] / share[:, None], np.log1p(shapes[:, 13:])]
    hot = [one_hot(found[:, 3], FIRST_GROUPS), one_hot(found[:, 4], LAST_GROUPS)]
    spaces = counts[:, a.SPACES]
    late = [np.log1p(found[:, 7:]), np.log1p(longest), np.log1p(spaces)[:, None], (spaces / total)[:, None]]
    return np.concatenate([np.column_stack(columns), *groups, *hot, *late], axis=1).astype(np.float32)


class Borders:
    """First and last line of the document that each line is in."""

    def __init__(self, document: npt.NDArray[np.int64]) -> None:
        lines = len(document)
        new = np.ones(lines, np.bool_)
        new[1:] = document[1:] != document[:-1]
        self.begins = np.flatnonzero(new)
        self.sizes = np.diff(np.append(self.begins, lines))
        self.begin = np.repeat(self.begins, self.sizes)
        self.end = np.repeat(self.begins + self.sizes, self.sizes)
        self.line = np.arange(lines)

    def spread(self, values: Floats) -> Floats:
        """Repeat one value a document for each of its lines."""
        return np.repeat(values, self.sizes, axis=0)

    def window(self, values: Floats, radius: int) -> Floats:
        """Sum values over the lines at most ``radius`` away, inside the document."""
        sums = np.zeros((len(values) + 1, *values.shape[1:]), np.float64)
        np.cumsum(values, axis=0, out=sums[1:])
        low = np.maximum(self.line - radius, self.begin)
        high = np.minimum(self.line + radius + 1, self.end)
        return (sums[high] - sums[low]).astype(np.float32)

    def shift(self, values: Floats, by: int, part: slice) -> Floats:
        """Return for some lines the values of the line ``by`` further on, 0 outside the document."""
        target = self.line[part] + by
        inside = (target >= self.begin[part]) & (target < self.end[part])
        out: Floats = values[np.where(inside, target, 0)]
        out[~inside] = 0
        return out


def distances(borders: Borders, sure: npt.NDArray[np.bool_]) -> list[Floats]:
    """Return log distances to the sure lines: the previous, the next, the first and the last of the document."""
    line = borders.line
    previous = np.maximum.accumulate(np.where(sure, line, -1))
    following = np.minimum.accumulate(np.where(sure, line, len(line))[::-1])[::-1]
    first = following[borders.begin] if len(line) else line
    last = previous[borders.end - 1] if len(line) else line
    out = []
    for target in (previous, following, first, last):
        inside = (target >= borders.begin) & (target < borders.end)
        gap = np.where(inside, line - target, 0)
        value = np.sign(gap) * np.log1p(np.abs(gap))
        out.append(np.where(inside, value, 6).astype(np.float32))
    return out


def document_features(borders: Borders, first: FirstPass) -> Floats:
    """Return what the document as a whole says of each line."""
    body = first.probability[:, first.body]
    words = np.expm1(first.shape[:, 1]) + 1
    mass = np.stack([body * words, words, body, np.ones_like(body)], axis=1)
    sums = np.zeros((len(body) + 1, 4), np.float64)
    np.cumsum(mass, axis=0, out=sums[1:])
    total = (sums[borders.end] - sums[borders.begin]).astype(np.float32)
    before = (sums[:-1] - sums[borders.begin]).astype(np.float32)
    columns = [
        before[:, 0] / (total[:, 0] + 1e-3),
        before[:, 3] / total[:, 3],
        np.log1p(before[:, 3]),
        np.log1p(total[:, 3] - before[:, 3]),
        np.log1p(total[:, 3]),
        np.log1p(total[:, 1]),
        np.log1p(total[:, 0]),
        total[:, 0] / total[:, 1],
        total[:, 2] / total[:, 3],
    ]
    for radius in WINDOWS:
        near = borders.window(mass, radius)
        density = near[:, 0] / near[:, 1]
        best = np.maximum.reduceat(density, borders.begins) if len(body) else density
        columns += [density, density / (borders.spread(best) + 1e-3), np.log1p(near[:, 0]), near[:, 2] / near[:, 3]]
    mean = borders.window(first.probability, WINDOWS[0]) / borders.window(np.ones_like(body), WINDOWS[0])[:, None]
    columns += distances(borders, body > 0.5)
    return np.concatenate([np.stack(columns, axis=1), mean], axis=1).astype(np.float32)


def title_line(borders: Borders, first: FirstPass) -> npt.NDArray[np.int64]:
    """Return for each line the number of its document's likeliest headline."""
    if first.headline < 0 or not len(borders.line):
        return borders.begin.astype(np.int64)
    score = first.probability[:, first.headline]
    found = [b + likeliest(score[b : b + size]) for b, size in zip(borders.begins, borders.sizes, strict=True)]
    return np.repeat(found, borders.sizes).astype(np.int64)


def likeliest(score: Floats) -> int:
    """Return the place of the largest score, of those that follow on a like one the first."""
    best = 0
    for place, value in enumerate(score):
        best = place if value > score[best] * np.float32(1.0001) else best
    return best


def content_words(tokens: Tokens, line: int) -> list[tuple[int, bool]]:
    """Return the words of a line that carry meaning, and whether each is a name."""
    found = []
    begin, end = tokens.first[line], tokens.first[line + 1]
    for at in range(begin, end):
        shape, word = int(tokens.shape[at]), int(tokens.word[at])
        name = shape in (a.CAPITALISED, a.ALL_CAPS)
        if shape == a.IDEOGRAPH:
            if at > begin and tokens.shape[at - 1] == a.IDEOGRAPH:
                found.append((int(tokens.word[at - 1]) * 31 ^ word | 1, False))
        elif (tokens.length[at] >= 5 and shape < a.TERMINAL) or (name and tokens.length[at] >= 3):
            found.append((word | 1, name))
    return found


def shared_words(batch: Batch, borders: "Borders", body: Floats, title: Ints) -> Floats:
    """Return what the words of every line share with the rest of its document, [lines, 8]."""
    t, out = batch.tokens, np.zeros((len(batch), 8), np.float32)
    for begin, size in zip(borders.begins, borders.sizes, strict=True):
        lines = range(begin, begin + size)
        words = {line: content_words(t, line) for line in lines}
        sets = {line: {key for key, _ in words[line]} for line in lines}
        texts = {line: t.word[t.first[line] : t.first[line + 1]].tobytes() for line in lines}
        lines_with = Counter(key for line in lines for key in sets[line])
        bodies_with = Counter(key for line in lines if body[line] > 0.5 for key in sets[line])
        same = Counter(texts.values())
        for line in lines:
            count, own = max(len(words[line]), 1), int(body[line] > 0.5)
            keys = [key for key, _ in words[line]]
            names = [key for key, name in words[line] if name]
            headline = sets[int(title[line])] if title[line] != line else set()
            shares = [
                sum(key in sets.get(line - 1, set()) for key in keys),
                sum(key in sets.get(line + 1, set()) for key in keys),
                sum(lines_with[key] > 1 for key in keys),
                sum(bodies_with[key] > own for key in keys),
                sum(key in headline for key in keys),
                len(names),
            ]
            out[line, :6] = np.array(shares) / count
            out[line, 6] = sum(lines_with[key] > 1 for key in names) / max(len(names), 1)
            out[line, 7] = np.log(same[texts[line]]) if texts[line] else 0
    return out


class Context:
    """The context features of a batch."""

    def __init__(self, batch: Batch, first: FirstPass) -> None:
        """Look at the documents as the first pass sees them."""
        self.borders = borders = Borders(batch.document)
        title = title_line(borders, first)
        gap = (borders.line - title).astype(np.float32)
        candidate = first.probability[:, first.headline] if first.headline >= 0 else np.zeros_like(gap)
        relative = candidate / (candidate[title] + 1e-3) if len(title) else candidate
        self.whole = [
            shared_words(batch, borders, first.probability[:, first.body], title),
            np.stack([np.sign(gap) * np.log1p(np.abs(gap)), relative], axis=1),
        ]
        self.document = document_features(borders, first)
        self.shape = first.shape[:, NEIGHBOUR_COLUMNS]
        self.near = np.concatenate([first.probability, self.shape, first.scores], axis=1)
        self.far = np.ascontiguousarray(self.near[:, : first.probability.shape[1] + 1])

    def rows(self, part: slice) -> list[Floats]:
        """Return the context features of some lines for the draft head, as blocks of columns."""
        blocks = [block[part] for block in self.whole]
        for by in range(1, FAR + 1):
            values = self.near if by <= NEAR else self.far
            blocks += [self.borders.shift(values, by, part), self.borders.shift(values, -by, part)]
        return [*blocks, self.document[part]]

    def lean_rows(self, part: slice) -> list[Floats]:
        """Return the context features of some lines for the final head, as blocks of columns."""
        blocks = [block[part] for block in self.whole]
        for by in range(1, NEAR + 1):
            blocks += [self.borders.shift(self.shape, by, part), self.borders.shift(self.shape, -by, part)]
        return [*blocks, self.document[part]]


def second_pass(
    batch: Batch, borders: Borders, draft: Floats, shape: Floats, sums: Floats, labels: list[str], rarity: Ints
) -> Floats:
    """Return the second-pass features, [lines, features].

    ``draft`` is [lines, labels], ``shape`` as in `features`, ``sums`` the text sums, [lines, columns], ``rarity`` the
    model's array of that name.
    """
    everything = slice(None)
    columns = [np.log(draft + 1e-4)]
    for by in range(1, FAR + 1):
        columns += [borders.shift(draft, by, everything), borders.shift(draft, -by, everything)]
    ones = np.ones((len(draft), 1), np.float32)
    columns += [borders.window(draft, radius) / borders.window(ones, radius) for radius in WINDOWS]
    if len(draft):
        total = borders.spread(np.add.reduceat(draft, borders.begins, axis=0))
        most = borders.spread(np.maximum.reduceat(draft, borders.begins, axis=0))
    else:
        total, most = draft, draft
    added = np.cumsum(draft, axis=0, dtype=np.float64) - draft
    before = (added - added[borders.begin]).astype(np.float32)
    columns += [np.log1p(total), draft / (most + 1e-3), before / (total + 1e-3), np.log1p(np.maximum(before, 0))]
    columns += [
        habits(borders, draft[:, :1], shape[:, HABITS]),
        full_names(batch),
        related(batch, borders, draft, labels, rarity),
        placed(batch, borders, draft, labels),
    ]
    columns += marks(borders, sums[:, draft.shape[1] :])
    return np.concatenate(columns, axis=1, dtype=np.float32)


def marks(borders: Borders, sums: Floats) -> list[Floats]:
    """Return where in the document credits, comments, other stories and dates are, as the text alone tells them.

    ``sums`` are those of the columns for kinds. A comment without a name or a date is told by what stands
    around it, often many lines away: hence windows, what has gone before, and the distance to the last sure one.
    """
    score = np.asarray(1 / (1 + np.exp(np.clip(-3 * sums, -20, 20))), np.float32)
    ones = np.ones((len(score), 1), np.float32)
    blocks = [score, *(borders.window(score, radius) / borders.window(ones, radius) for radius in WINDOWS)]
    total = borders.spread(np.add.reduceat(score, borders.begins, axis=0)) if len(score) else score
    added = np.cumsum(score, axis=0, dtype=np.float64) - score
    before = np.maximum(added - added[borders.begin], 0).astype(np.float32)
    last = np.maximum.accumulate(np.where(score > SURE, borders.line[:, None], -1), axis=0)
    gap = np.log1p(np.maximum(borders.line[:, None] - last, 0))
    far = np.where(last >= borders.begin[:, None], gap, NO_MARK)
    return [*blocks, before / (total + 1e-3), np.log1p(before), np.log1p(total), far]


def habits(borders: Borders, body: Floats, shape: Floats) -> Floats:
    """Return the means of shape features over the document's likely body lines, and how each line differs."""
    if not len(body):
        return np.zeros((0, 2 * shape.shape[1]), np.float32)
    sums = np.add.reduceat(shape * body, borders.begins, axis=0)
    weight = np.add.reduceat(body, borders.begins, axis=0) + 0.1
    mean = borders.spread(np.asarray(sums / weight, np.float32))
    return np.concatenate([mean, shape - mean], axis=1)


def full_names(batch: Batch) -> Floats:
    """Return what the pairs of capitalised words of each line say, [lines, NAMES].

    Their log count, how many recur in the document, how many stood on an earlier line, the share of those.
    """
    tokens = batch.tokens
    line = np.repeat(np.arange(len(batch)), np.diff(tokens.first))
    capital = tokens.shape[tokens.first[0] : tokens.first[-1]] == a.CAPITALISED
    at = np.flatnonzero(capital[1:] & capital[:-1] & (line[1:] == line[:-1])) + 1
    words = tokens.word[tokens.first[0] : tokens.first[-1]]
    with np.errstate(over="ignore"):
        key = (words[at - 1] * np.int64(31)) ^ words[at] ^ (batch.document[line[at]] * DOCUMENT)
    pairs, pair, counts = np.unique(key, return_inverse=True, return_counts=True)
    first = np.full(len(pairs), len(batch))
    np.minimum.at(first, pair, line[at])
    here = [np.ones(len(at)), counts[pair] > 1, first[pair] < line[at]]
    number, recurring, early = (np.bincount(line[at], values, len(batch)) for values in here)
    return np.stack([np.log1p(number), recurring, early, early / np.maximum(number, 1)], axis=1).astype(np.float32)


def rarity_place(key: int) -> int:
    """Return which number of a model's array says how rare a word is."""
    return int(key ^ key >> 29 ^ key >> 45) & 0xFFFF


def likely_headline(draft: Floats, labels: list[str], lines: list[int]) -> int:
    """Return the line of a document that is likeliest its headline."""
    return lines[likeliest(draft[lines, labels.index("headline")])] if "headline" in labels else lines[0]


def related(batch: Batch, borders: Borders, draft: Floats, labels: list[str], rarity: Ints) -> Floats:
    """Return what lines share with lines of each label, as the draft head sees them, [lines, 18]."""
    out = np.zeros((len(batch), 18), np.float32)
    group = np.full(len(batch), 2)
    for number, label in enumerate(("body", "junk")):
        if label in labels:
            group[draft[:, labels.index(label)] > 0.5] = number
    for begin, size in zip(borders.begins, borders.sizes, strict=True):
        lines = list(map(int, range(begin, begin + size)))
        words = {line: [key for key, _ in content_words(batch.tokens, line)] for line in lines}
        having = [Counter(key for line in lines if group[line] == one for key in set(words[line])) for one in range(3)]
        title = likely_headline(draft, labels, lines)

        def count(keys: Iterable[int]) -> float:
            return sum(int(rarity[rarity_place(key)]) for key in keys) / 8

        for line in lines:
            own, keys = int(group[line]), words[line]
            earlier = [one for one in lines if one < line and group[one] == 0][-1:]
            later = [one for one in lines if one > line and group[one] == 0][:1]
            before, after = (set(words[int(one[0])]) if one else set[int]() for one in (earlier, later))
            headline = set(words[title])
            following = words[later[0]] if later else []
            these = [[key for key in keys if key in before], [key for key in keys if key in after]]
            these.append([key for key in following if key in before])
            these += [[key for key in keys if having[one][key] > (own == one)] for one in range(3)]
            these.append([key for key in keys if key in headline and line != title])
            counts = [count(some) for some in these]
            sizes = np.full(7, count(keys))
            sizes[2] = count(following)
            gaps = [np.log1p(abs(one[0] - line)) if one else NO_MARK for one in (earlier, later)]
            told = 0 if line == title else count(headline & set(keys)) / max(count(headline), 1e-9)
            rest = np.log1p(count(keys) - counts[3])
            out[line] = [*np.array(counts) / np.maximum(sizes, 1e-9), *np.log1p(counts), told, rest, *gaps]
    return out


def signed_log(gap: int) -> float:
    """Return sign(gap) * log(1 + |gap|)."""
    return float(np.copysign(np.log1p(abs(gap)), gap))


def placed(batch: Batch, borders: Borders, draft: Floats, labels: list[str]) -> Floats:
    """Return where lines stand in their documents, as the draft head sees these, [lines, 13 + labels]."""
    t, out, words = batch.tokens, np.zeros((len(batch), 13 + draft.shape[1]), np.float32), batch.words()
    headlines = draft[:, labels.index("headline")] if "headline" in labels else np.zeros(len(batch))
    for begin, size in zip(borders.begins, borders.sizes, strict=True):
        lines = list(map(int, range(begin, begin + size)))
        body = [line for line in lines if draft[line, labels.index("body")] > 0.5]
        stretches: list[list[int]] = []
        for line in body:
            if not stretches or line - stretches[-1][-1] > 4:
                stretches.append([])
            stretches[-1].append(line)
        sizes = [int(words[one].sum()) for one in stretches]
        longest = sizes.index(max(sizes)) if sizes else -1
        title = likely_headline(draft, labels, lines)
        texts = {line: t.word[t.first[line] : t.first[line + 1]].tobytes() for line in lines}
        for line in lines:
            at = [n for n, one in enumerate(stretches) if one[0] <= line <= one[-1]]
            own = sizes[at[0]] if at else 0
            before = [n for n, one in enumerate(stretches) if one[-1] < line][-1:]
            after = [n for n, one in enumerate(stretches) if one[0] > line][:1]
            others = [
                own - (int(words[line]) if line in body else 0),
                *(sizes[n[0]] if n else 0 for n in (before, after)),
            ]
            row = [float(np.log1p(one)) for one in others]
            if stretches:
                first, last = stretches[longest][0], stretches[longest][-1]
                row.append(signed_log(min(line - first, 0) + max(line - last, 0)))
                row += [sizes[longest] / sum(sizes), own / sizes[longest], float(np.log1p(len(stretches)))]
                row += [signed_log(line - body[0]), signed_log(line - body[-1]), signed_log(body[0] - title)]
            else:
                row += [0, 0, 0, 0, *[NO_MARK] * 3]
            row += [signed_log(line - title), headlines[title], headlines[line] / (headlines[title] + 1e-3)]
            out[line, :13] = row
            same = [one for one in lines if one != line and texts[line] and texts[one] == texts[line]]
            out[line, 13:] = draft[same].max(axis=0, initial=0)
    return out


def head(model: Model, name: str, rows: Floats) -> Floats:
    """Return the probabilities by a head."""
    hidden_weights, hidden_bias, weights, bias = (model.arrays[f"{name}_{part}"] for part in HEAD)
    return softmax(np.maximum(rows @ hidden_weights + hidden_bias, 0) @ weights + bias)


def probabilities(model: Model, batch: Batch) -> tuple[Floats, Floats]:
    """Return the probability of every label for every line that is not blank, by the draft and by the final head."""
    labels, columns = model.labels, len(model.table.scale)
    table = model.table.weights[:-1, :columns] * model.table.scale
    shape, text = line_features(batch), text_sums(batch.tokens, table)
    lines = np.concatenate([text, shape], axis=1)
    probability = softmax(lines @ model.arrays["first_weights"] + model.arrays["first_bias"])
    headline = labels.index("headline") if "headline" in labels else -1
    first = FirstPass(shape, text[:, :columns], probability, labels.index("body"), headline)
    context, everything = Context(batch, first), slice(None)
    draft = head(model, "draft", np.concatenate([lines, probability, *context.rows(everything)], axis=1))
    more = second_pass(batch, context.borders, draft, shape, text[:, :columns], labels, model.arrays["rarity"])
    rows = np.concatenate([lines, probability, *context.lean_rows(everything), more], axis=1)
    return draft, head(model, "final", rows)
