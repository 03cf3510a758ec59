"""Second-pass features: what the draft head makes of the neighbours and of the document.

The draft head judges every line with the first pass alone to tell it about the others. Once it has judged all
of them, the final head sees the same line between neighbours and in a document that are better known: the
draft's probabilities around it, the document's habits (how long its likely body lines are, whether they end
in a full stop or have a blank line before them), and full names that recur, as captions name people in full
whom the story has introduced already.

By F1 on real pages of unseen sites, one head alone and with the second (same data): body .961 and .966, headline
.852 and .866, caption .548 and .564, byline .760 and .786, junk .979 and .982. The final head gains nothing from
seeing the neighbours' text sums and first-pass probabilities again (caption .545 with, .564 without). Where the
marks of comments, credits, other stories and dates stand in the document: body of whole pages .9796 and .9793 in
words with it, .9787 and .9772 without, with two seeds.
"""

import numpy as np
import numpy.typing as npt

from cleaner.alphabet import CAPITALISED
from cleaner.context import FAR, WINDOWS, Borders
from cleaner.features import Batch

__all__ = ["second_pass", "second_width"]

Floats = npt.NDArray[np.float32]
#: Columns of the shape features whose mean over the likely body lines is a habit of the document: log
#: characters, capitals, sentence ends, ended, years, dates, blank line before.
HABITS = [0, 3, 7, 8, 9, 11, 13]
NAMES = 4
#: From which score a line is surely of a kind; the log distance where there is none before it.
SURE, NO_MARK = 0.6, 6.0
MULTIPLIER = np.int64(0x9E3779B97F4A7C1)


def second_width(labels: int, columns: int) -> int:
    """Return how many second-pass features there are with so many labels and text columns."""
    return labels * (5 + 2 * FAR + len(WINDOWS)) + 2 * len(HABITS) + NAMES + (columns - labels) * (5 + len(WINDOWS))


def second_pass(batch: Batch, borders: Borders, draft: Floats, shape: Floats, sums: Floats) -> Floats:
    """Return the second-pass features, [lines, features].

    ``draft`` is [lines, labels], ``shape`` as in `features`, ``sums`` the text sums, [lines, columns].
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
    columns += [habits(borders, draft[:, :1], shape[:, HABITS]), full_names(batch)]
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
    capital = tokens.shape[tokens.first[0] : tokens.first[-1]] == CAPITALISED
    at = np.flatnonzero(capital[1:] & capital[:-1] & (line[1:] == line[:-1])) + 1
    words = tokens.word[tokens.first[0] : tokens.first[-1]]
    with np.errstate(over="ignore"):
        key = (words[at - 1] * np.int64(31)) ^ words[at] ^ (batch.document[line[at]] * MULTIPLIER)
    pairs, pair, counts = np.unique(key, return_inverse=True, return_counts=True)
    first = np.full(len(pairs), len(batch))
    np.minimum.at(first, pair, line[at])
    here = [np.ones(len(at)), counts[pair] > 1, first[pair] < line[at]]
    number, recurring, early = (np.bincount(line[at], values, len(batch)) for values in here)
    return np.stack([np.log1p(number), recurring, early, early / np.maximum(number, 1)], axis=1).astype(np.float32)
