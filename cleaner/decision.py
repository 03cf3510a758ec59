"""Probabilities to labels: the likeliest after weighting, junk the less the purer a document already is.

A rare label would be chosen too seldom without a weight. Junk's is divided by a number that depends on the aim
and on the document: there is one for documents that are mostly junk, and one for those that somebody's
extractor has cleaned already, where a wrong removal costs more than a leftover; in between it is interpolated. Caution
is for what is at stake: the fewer words a line has, the less is junk divided by and the more does a caption weigh
(CHANGELOG, "Tried", has the figures).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.features import Batch
from cleaner.labels import BODY, CAPTION, JUNK

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

#: What removal aims at: pure body text, the balance, or no loss.
AIMS = ("precision", "balanced", "recall")
#: Expected shares of body words at which a document counts as full of junk, and as clean already.
SPARSE, DENSE = 0.5, 0.8
#: Lines from which a document can be a page full of junk.
PAGE_LINES = 10
#: Words from which a line is treated with all of the caution of an aim.
LONG = {"precision": 30, "balanced": 30, "recall": 1}
#: By how much more a caption weighs on the shortest lines than on those of an aim's :data:`LONG` words.
SHORT_CAPTION = 2
#: From which probability of its kind a line is surely an image credit, and what junk then weighs against body.
SURE_CREDIT, CREDIT_WEIGHT = 0.8, 6


def runs(document: Ints) -> tuple[Ints, Ints]:
    """Return the first line of each document and how many lines it has; ``document`` ascends, [lines]."""
    first = np.flatnonzero(document[1:] != document[:-1]) + 1
    begins = np.concatenate([np.zeros(min(len(document), 1), np.int64), first])
    return begins, np.diff(begins, append=len(document))


def body_share(begins: Ints, words: Ints, body: Floats) -> Floats:
    """Return the expected share of body words of each document, from those of its lines and where it begins."""
    if not len(begins):
        return np.zeros(0, np.float32)
    return np.asarray(np.add.reduceat(words * body, begins) / np.add.reduceat(words, begins), np.float32)


def spread(share: Floats) -> Floats:
    """Return where a share of body words stands between :data:`SPARSE` (0) and :data:`DENSE` (1)."""
    return np.asarray(np.clip((share - SPARSE) / (DENSE - SPARSE), 0, 1), np.float32)


def cleanness(begins: Ints, lines: Ints, words: Ints, body: Floats) -> Floats:
    """Return how clean each document is, from 0, full of junk, to 1; the documents are those of :func:`runs`.

    A text of few lines, whose share of body words says little, counts as clean.
    """
    return np.where(lines < PAGE_LINES, np.float32(1), spread(body_share(begins, words, body)))


def divisors(batch: Batch, body: Floats, aim: dict[str, Any]) -> Floats:
    """Return for each line what junk's weight is divided by, from an aim's ``sparse`` and ``dense``, and ``long``."""
    words, (begins, lines) = batch.words(), runs(batch.document)
    place = cleanness(begins, lines, words, body)
    divisor = np.asarray(aim["sparse"] ** (1 - place) * aim["dense"] ** place, np.float32)
    return eased(np.repeat(divisor, lines), words, aim["long"])


def eased(divisor: Floats, words: Ints, long: float) -> Floats:
    """Return divisors nearer to 1 for lines of fewer than ``long`` words; those below 1 as they are; [lines]."""
    power = np.minimum(words.astype(np.float32) / np.float32(long), 1)
    return np.where(divisor > 1, np.exp(np.log(divisor) * power), divisor)


def line_weights(weights: Floats, words: Ints, labels: Sequence[str], long: float) -> Floats:
    """Return the weights of the labels for each line, [lines, labels].

    Captions weigh the more the fewer of ``long`` words a line has, up to :data:`SHORT_CAPTION` times as much.
    """
    found = np.empty((len(words), len(weights)), np.float32)
    found[:] = weights
    if CAPTION in labels:
        short = 1 - np.minimum(words.astype(np.float32) / np.float32(long), 1)
        found[:, labels.index(CAPTION)] *= np.exp(np.log(np.float32(SHORT_CAPTION)) * short)
    return found


def decide(probabilities: Floats, weights: Floats, labels: Sequence[str], divisor: Floats) -> Ints:
    """Return the label number of each row.

    ``weights`` is [labels] or [rows, labels]; those of junk, or of all but body where no label has that name, are
    divided by ``divisor``, [rows].
    """
    weighted = probabilities * weights
    yielding = [number for number, label in enumerate(labels) if label == JUNK]
    yielding = yielding or [number for number, label in enumerate(labels) if label != BODY]
    for number in yielding:
        weighted[:, number] /= divisor
    return np.asarray(weighted.argmax(axis=1))


def without_credits(
    chosen: Ints, probabilities: Floats, weights: Floats, labels: Sequence[str], credit: Floats
) -> Ints:
    """Return the labels with lines that are surely image credits junk instead of body, where junk is likely enough.

    ``credit`` is the probability that a line is one, were it junk, [rows]; ``weights`` is [rows, labels]. Captions are
    left alone: many have a credit in them.
    """
    body, junk = labels.index(BODY), labels.index(JUNK)
    doubted = np.flatnonzero((credit >= SURE_CREDIT) & (chosen == body))
    chosen, weighted = chosen.copy(), probabilities[doubted] * weights[doubted]
    chosen[doubted[weighted[:, junk] * CREDIT_WEIGHT > weighted[:, body]]] = junk
    return chosen


def with_articles(chosen: Ints, batch: Batch, body: int, whole: int) -> Ints:
    """Return the labels with lines of more than ``whole`` bytes as body, unless that is 0; ``body`` is its number.

    Whole articles stand in one line where a scraper lost the ends of lines. What the heads have seen of such lines is
    little, and one that is removed by mistake costs all of the text.
    """
    if not whole:
        return chosen
    text = batch.text
    long = text.end - text.start > whole
    return np.where(long[batch.full], body, chosen) if long.any() else chosen
