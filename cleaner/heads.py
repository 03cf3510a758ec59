"""Fit the heads: each on all folds of sites, and on all but one in turn for what it says of sites it has not seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from cleaner.classifier import LineClassifier
from cleaner.copies import COPIES
from cleaner.labels import JUNK, KINDS
from cleaner.sampling import Part, counted, lines_of, marked, real_lines

__all__ = ["Fitted", "Kinds", "Rows", "calibrate_on", "fewer", "fit_head", "fit_kinds"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
#: Returns the inputs of all lines of a fold, [lines, features].
Inputs = Callable[[int], Floats]
NEVER = -20.0
#: The draft head's probability from which a line is easy; and from how many lines on easy ones are left out.
EASY, ENOUGH = 0.99, 100_000
#: Real pages name the kind of few sorts of junk, and of those many lines: this share is used.
REAL_KINDS = 0.1


@dataclass(frozen=True)
class Rows:
    """The lines of each fold that a head trains on, and their weights."""

    chosen: Sequence[Ints]
    weight: Sequence[Floats]


@dataclass(frozen=True)
class Fitted:
    """A head, and for each fold the logits of its lines by a head that has not seen it, [lines, labels]."""

    head: LineClassifier
    logits: list[Floats]


def fewer(rows: Rows, drafts: Sequence[Floats], share: float, seed: int) -> Rows:
    """Leave out all but a share of the lines of which the draft head is sure: the final head learns more of the others.

    With fewer than :data:`ENOUGH` lines all stay. CHANGELOG has the figures.
    """
    rng = np.random.default_rng(seed)
    if sum(map(len, rows.chosen)) < ENOUGH:
        return rows
    chosen, weight = [], []
    for lines, weights, draft in zip(rows.chosen, rows.weight, drafts, strict=True):
        use = (draft[lines].max(axis=1) < EASY) | (rng.random(len(lines)) < share)
        chosen.append(lines[use])
        weight.append(weights[use])
    return Rows(chosen, weight)


def fit_head(parts: Sequence[Part], inputs: Inputs, rows: Rows, head: Callable[[], LineClassifier]) -> Fitted:
    """Fit a head on all folds, and one without each fold for the logits.

    Each is told which rows are of invented documents, in languages that real ones teach, too, and then takes no line
    for invented: what they are labelled by is not quite what real pages are labelled by. CHANGELOG has the figures,
    and those of marking none, half and all.
    """
    labels = 1 + max(int(part.label.max()) for part in parts)
    fold = np.repeat(np.arange(len(parts)), [len(chosen) for chosen in rows.chosen])
    x = np.concatenate([inputs(number)[chosen] for number, chosen in enumerate(rows.chosen)])
    y = np.concatenate([part.label[chosen] for part, chosen in zip(parts, rows.chosen, strict=True)])
    weight = np.concatenate(rows.weight)
    told = np.concatenate([lines[chosen] for lines, chosen in zip(marked(parts), rows.chosen, strict=True)])
    logits = []
    for number in range(len(parts)):
        train = fold != number
        one = fit_for_real(head(), x[train], y[train], weight[train], told[train])
        found = np.full((len(parts[number].label), labels), NEVER, np.float32)
        found[:, one.classes_] = one.logits(inputs(number))
        logits.append(found)
    return Fitted(fit_for_real(head(), x, y, weight, told), logits)


def fit_for_real(
    head: LineClassifier, x: Floats, y: Ints, weight: Floats, invented: npt.NDArray[np.bool_]
) -> LineClassifier:
    """Fit a head with ``invented`` as a last feature, and return it with that taken for 0."""
    if not invented.any():
        return head.fit(x, y, sample_weight=weight)
    last = np.asarray(invented[:, None], np.float32)
    return head.fit(np.concatenate([x, last], axis=1), y, sample_weight=weight).without_last()


def calibrate_on(head: LineClassifier, parts: Sequence[Part], logits: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Calibrate a head on the out-of-fold logits of real lines; returns factor and shift for each label."""
    sure = counted(parts)
    raw = np.concatenate([rows[keep] for rows, keep in zip(logits, sure, strict=True)])
    truth = np.concatenate([part.label[keep] for part, keep in zip(parts, sure, strict=True)])
    weight = np.concatenate([part.weight[keep] for part, keep in zip(parts, sure, strict=True)])
    head.calibrate(raw[:, head.classes_], truth, weight)
    factor, shift = np.ones(raw.shape[1], np.float32), np.zeros(raw.shape[1], np.float32)
    factor[head.classes_], shift[head.classes_] = head.calibration_
    return factor, shift


@dataclass(frozen=True)
class Kinds:
    """What tells the kinds of junk apart: names, weights [features, kinds], bias, and from where it is sure."""

    names: list[str]
    weights: Floats
    bias: Floats
    floor: float
    figures: dict[str, float]


def fit_kinds(parts: Sequence[Part], inputs: Inputs, precision: float) -> Kinds:
    """Fit a softmax over the final head's inputs on the junk lines whose kind is known.

    ``floor`` is the smallest probability from which the kinds are right with the given precision, out of fold.
    """
    rows, kind, fold = [], [], []
    rng = np.random.default_rng(0)
    for number, part in enumerate(parts):
        known, real = kinds_of(part)
        chosen = np.flatnonzero((known >= 0) & (~real | (rng.random(len(real)) < REAL_KINDS)))
        rows.append(inputs(number)[chosen])
        kind.append(known[chosen])
        fold.append(np.full(len(chosen), number))
    x, y, f = (np.concatenate(column) for column in (rows, kind, fold))
    width = x.shape[1]
    if len(np.unique(y)) < 2:
        return Kinds([], np.zeros((width, 0), np.float32), np.zeros(0, np.float32), 1.0, {})
    scale, mean = np.maximum(x.std(axis=0), 1e-6), x.mean(axis=0)
    x = (x - mean) / scale
    model = LogisticRegression(C=0.01, max_iter=100)
    sure, right = np.zeros(len(y)), np.zeros(len(y), np.bool_)
    for number in np.unique(f):
        out, rest = f == number, f != number
        if len(np.unique(y[rest])) > 1 and out.any():
            shares = model.fit(x[rest], y[rest]).predict_proba(x[out])
            sure[out], right[out] = shares.max(axis=1), model.classes_[shares.argmax(axis=1)] == y[out]
    floor, figures = floor_of(sure, right, precision)
    model.fit(x, y)
    coef = model.coef_ if len(model.classes_) > 2 else np.concatenate([-model.coef_ / 2, model.coef_ / 2])
    bias = model.intercept_ if len(model.classes_) > 2 else np.concatenate([-model.intercept_, model.intercept_]) / 2
    coef = coef / scale
    names = [KINDS[code] for code in model.classes_]
    return Kinds(names, coef.T.astype(np.float32), (bias - coef @ mean).astype(np.float32), floor, figures)


def kinds_of(part: Part) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the number of each line's kind of junk, -1 where none is to be learnt; and whether the page is real."""
    names = [kind.partition("/")[0] for document in part.documents for kind in document.kinds]
    known = np.array([KINDS.index(name) if name in KINDS else -1 for name in names], np.int64)
    junk = np.array([label == JUNK for document in part.documents for label in document.labels])
    return np.where(part.sure & ~lines_of(part, COPIES) & junk, known, -1), real_lines(part)


def floor_of(
    sure: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], precision: float
) -> tuple[float, dict[str, float]]:
    """Return the smallest probability with the precision, and what it reaches: precision and share of lines named."""
    found = (1.0, {"precision": 0.0, "named": 0.0})
    for floor in np.arange(0.95, 0.29, -0.05):
        above = sure >= floor
        share = float(right[above].mean()) if above.any() else 1.0
        if share < precision:
            break
        found = (round(float(floor), 2), {"precision": share, "named": float(above.mean())})
    return found
