"""Choose out of fold how probabilities become labels.

From where the draft head is believed, what each label's probability is multiplied with, and what junk's is divided
by for each aim.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.copies import COPIES
from cleaner.decision import AIMS, LONG, cleanness, decide, eased, line_weights, runs
from cleaner.labels import BODY
from cleaner.sampling import Part, counted, lines_of

Floats = npt.NDArray[np.float32]
#: Few, half an octave apart: where the weights were chosen among more, they swung between the ends from one training to
#: the next.
WEIGHTS = (2.0, 2.8, 4.0)
#: Probabilities from which the draft head may be believed; a label that none is high enough for gets :data:`NEVER`.
SURE = (0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.998)
NEVER = 2.0
#: How many of a label's words must be right, out of fold, for the draft head to be believed; and on how many lines.
RIGHT, FEWEST = 0.995, 100
#: What junk's weight is divided by, as tried: four steps a doubling.
DIVISORS = tuple(float(divisor) for divisor in 2 ** np.arange(-4, 5.01, 0.25))
#: F1 is flat around its best: so little less of it is given for more of the body.
NEARLY = 0.001
#: The weight of body: in doubt a line stays.
BODY_WEIGHT = 3.4
#: The share of body words that each aim keeps in documents that are clean already, and in those full of junk;
#: none: as much as is kept where F1 is less than :data:`NEARLY` below its best. A share of .997 asked of clean
#: documents was flatter still: it made the divisor 11 in one training and 32, the largest, in the next.
RECALL: dict[str, dict[str, float | None]] = {
    "precision": {"dense": 0.985, "sparse": 0.95},
    "balanced": {"dense": None, "sparse": None},
    "recall": {"dense": 0.999, "sparse": 0.99},
}


def choose_sure(drafts: Sequence[Floats], parts: Sequence[Part], labels: Sequence[str]) -> dict[str, Any]:
    """Choose for each label the lowest probability from which the draft head says the last word.

    From there on it is right about the given share of words, out of fold. What is tried goes with it.
    """
    use = np.concatenate(counted(parts))
    rows, truth = np.concatenate(drafts)[use], np.concatenate([part.label for part in parts])[use]
    words = np.concatenate([part.batch.words() for part in parts])[use]
    likeliest, most = rows.argmax(axis=1), rows.max(axis=1)
    sure: list[float] = []
    curves: dict[str, list[dict[str, float]]] = {}
    for number, label in enumerate(labels):
        tried = []
        for floor in SURE:
            above = (likeliest == number) & (most >= floor)
            right = float(words[above & (truth == number)].sum() / max(words[above].sum(), 1))
            tried.append({"from": floor, "lines": int(above.sum()), "right": right})
        curves[label] = tried
        good = (row["from"] for row in tried if row["right"] >= RIGHT and row["lines"] >= FEWEST)
        sure.append(float(next(good, NEVER)))
    return {"sure": sure, "sure_curves": curves}


def choose_weights(probabilities: Sequence[Floats], parts: Sequence[Part], labels: Sequence[str]) -> list[float]:
    """Choose what each label's probability is multiplied with before the largest wins.

    Set in turn, twice round, to what gives the best mean F1 out of fold: rare labels would be found too
    seldom without. That of body is given.
    """
    sure = np.concatenate(counted(parts))
    truth, shares = np.concatenate([part.label for part in parts])[sure], np.concatenate(probabilities)[sure]
    weights = np.ones(shares.shape[1], np.float32)
    body = labels.index(BODY)
    weights[body] = BODY_WEIGHT
    even = np.ones(len(shares), np.float32)
    size = len(weights)

    def mean_f1(trial: Floats) -> float:
        cell = np.bincount(truth * size + decide(shares, trial, labels, even), minlength=size * size)
        counts = cell.reshape(size, size)
        return float(np.mean(2 * counts.diagonal() / np.maximum(counts.sum(axis=0) + counts.sum(axis=1), 1)))

    for label in [number for number in range(size) if number != body] * 2:
        trials = np.repeat(weights[None], len(WEIGHTS), axis=0)
        trials[:, label] = WEIGHTS
        weights = max(trials, key=mean_f1)
    return [float(weight) for weight in weights]


def choose_aims(
    probabilities: Sequence[Floats], parts: Sequence[Part], weights: Sequence[float], labels: Sequence[str]
) -> dict[str, Any]:
    """Choose what junk's weight is divided by for each aim, for sparse and for dense documents, by the recall it names.

    Each is the smallest number with which that share of the body words stays, out of fold, in real
    documents where there are any; or the largest with nearly the best F1. The curves tried go with it,
    by how many words make a long line.
    """
    body = labels.index(BODY)
    groups: dict[str, list[Any]] = {"dense": [], "sparse": []}
    for rows, part, usable in zip(probabilities, parts, counted(parts), strict=True):
        words = part.batch.words()
        begins, lines = runs(part.batch.document)
        place = np.repeat(cleanness(begins, lines, words, rows[:, body]), lines)
        sure = usable & ~lines_of(part, COPIES)
        for name, chosen in (("dense", place > 0.5), ("sparse", place <= 0.5)):
            use = sure & chosen
            groups[name].append((rows[use], part.label[use], words[use], part.weight[use]))
    curves: dict[str, Any] = {}
    both = groups["dense"] + groups["sparse"]
    for name, some in groups.items():
        pieces = some if any((label == body).any() for _, label, _, _ in some) else both
        rows, truth, words, weight = (np.concatenate(column) for column in zip(*pieces, strict=True))
        decision = (np.asarray(weights, np.float32), labels)
        curves[name] = {
            str(long): curve(rows, np.asarray(truth == body), (words, weight, long), decision)
            for long in sorted(set(LONG.values()))
        }
    found: dict[str, Any] = {}
    for aim in AIMS:
        picks = {name: pick(curves[name][str(LONG[aim])], RECALL[aim][name]) for name in curves}
        found[aim] = {name: row["divisor"] for name, row in picks.items()}
        found[aim] |= {"long": float(LONG[aim]), "measured": picks}
    return {"aims": found, "curves": curves}


def curve(
    rows: Floats,
    is_body: npt.NDArray[np.bool_],
    sizes: tuple[npt.NDArray[np.int64], Floats, int],
    decision: tuple[Floats, Sequence[str]],
) -> list[dict[str, float]]:
    """Return body recall, removal recall and removal precision, in words, for each divisor.

    ``sizes`` are words and weights of the lines and how many words make a long one, ``decision`` the labels' weights
    and names.
    """
    found = []
    weights, labels = decision
    by_line = line_weights(weights, sizes[0], labels, sizes[2])
    words = np.asarray(sizes[0] * sizes[1], np.float32)
    for divisor in DIVISORS:
        chosen = decide(rows, by_line, labels, eased(np.full(len(rows), divisor, np.float32), sizes[0], sizes[2]))
        kept = chosen == labels.index(BODY)
        gone, right = words[~kept].sum(), words[~kept & ~is_body].sum()
        body_words, rest, held = words[is_body].sum(), words[~is_body].sum(), words[kept & is_body].sum()
        found.append(
            {
                "divisor": divisor,
                "body_recall": float(held / max(body_words, 1)),
                "body_f1": float(2 * held / max(words[kept].sum() + body_words, 1)),
                "removal_recall": float(right / max(rest, 1)),
                "removal_precision": float(right / max(gone, 1)),
            }
        )
    return found


def pick(rows: list[dict[str, float]], recall: float | None) -> dict[str, float]:
    """Return the first row that keeps as much, or the last; without a recall the last row with nearly the best F1."""
    if recall is None:
        best = max(row["body_f1"] for row in rows)
        return [row for row in rows if row["body_f1"] >= best - NEARLY][-1]
    return next((row for row in rows if row["body_recall"] >= recall), rows[-1])
