"""Fit the first pass, and the heads: each on all folds of sites, and on all but one in turn for what it says of others.

Larger networks teach the final head: what they say of lines of sites that they have not seen is half of what it learns.
What it says without a fold is taught by networks that have not seen that fold either.
"""

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from cleaner.classifier import LineClassifier, spread
from cleaner.features import line_features
from cleaner.network import softmax
from cleaner.sampling import Part, counted, marked
from cleaner.threads import one_thread

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
#: Returns the inputs of all lines of a fold, [lines, features].
FoldInputs = Callable[[int], Floats]
#: Called after each epoch of a fit with the share done; raises where nobody waits for the fit any longer.
Heed = Callable[[float], None]
NEVER = -20.0
#: About so many lines fit the first pass.
FIRST_PASS_ROWS = 200_000
#: How many heads are fitted at a time; each takes memory for a copy of its lines.
WORKERS = 2
#: The draft head's probability from which a line is easy; and from how many lines on easy ones are left out and larger
#: networks teach.
EASY, ENOUGH = 0.99, 100_000


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
    if not enough(rows):
        return rows
    chosen, weight = [], []
    for lines, weights, draft in zip(rows.chosen, rows.weight, drafts, strict=True):
        use = (draft[lines].max(axis=1) < EASY) | (rng.random(len(lines)) < share)
        chosen.append(lines[use])
        weight.append(weights[use])
    return Rows(chosen, weight)


def enough(rows: Rows) -> bool:
    """Tell whether there are lines enough to leave easy ones out, and for larger networks to teach."""
    return sum(map(len, rows.chosen)) >= ENOUGH


@dataclass(frozen=True)
class Lines:
    """The lines that a head is fitted on: inputs, labels, weights, which are invented, and the fold of each."""

    x: Floats
    y: Ints
    weight: Floats
    invented: npt.NDArray[np.bool_]
    fold: Ints


def gather(parts: Sequence[Part], inputs: FoldInputs, rows: Rows) -> Lines:
    """Return the lines that a head is to be fitted on, of all folds."""
    return Lines(
        np.concatenate([inputs(number)[chosen] for number, chosen in enumerate(rows.chosen)]),
        np.concatenate([part.label[chosen] for part, chosen in zip(parts, rows.chosen, strict=True)]),
        np.concatenate(rows.weight),
        np.concatenate([told[chosen] for told, chosen in zip(marked(parts), rows.chosen, strict=True)]),
        np.repeat(np.arange(len(parts)), [len(chosen) for chosen in rows.chosen]),
    )


def fit_head(
    parts: Sequence[Part],
    inputs: FoldInputs,
    lines: Lines,
    head: Callable[[], LineClassifier],
    soft: Sequence[Floats] | None = None,
) -> Fitted:
    """Fit a head on all folds, and one without each fold for the logits, with the soft targets of :func:`teach`.

    Each is told which rows are of invented documents, in languages that real ones teach, too, and then takes no line
    for invented: what they are labelled by is not quite what real pages are labelled by. CHANGELOG has the figures,
    and those of marking none, half and all.
    """
    labels = 1 + max(int(part.label.max()) for part in parts)

    def without(number: int, heed: Heed) -> LineClassifier:
        return fit_for_real(head(), lines, lines.fold != number, None if soft is None else soft[number], heed)

    *others, fitted = side_by_side(without, range(len(parts) + 1))
    return Fitted(fitted, [said(one, inputs(number), labels) for number, one in enumerate(others)])


def teachable(lines: Lines) -> bool:
    """Tell whether lines of two labels are left without any two folds."""
    pairs = combinations(range(1 + int(lines.fold.max())), 2)
    return all(len(np.unique(lines.y[~np.isin(lines.fold, out)])) > 1 for out in pairs)


def teach(lines: Lines, teacher: Callable[[], LineClassifier], report: Callable[[float], None]) -> list[Floats]:
    """Return what teachers say of all lines to a head without each fold, and last to one on all folds, [lines, labels].

    They have seen neither the line's fold nor the one that the head is without: heads whose teachers had seen it
    looked better out of fold than they were (CHANGELOG, "Tried"). ``report`` is called with the share done.
    """
    folds, labels = 1 + int(lines.fold.max()), 1 + int(lines.y.max())
    found = [np.zeros((len(lines.y), labels), np.float32) for _ in range(folds + 1)]
    # A head on all folds is without one more, which has no lines.
    pairs = list(combinations(range(folds + 1), 2))
    teachers = side_by_side(
        lambda out, heed: fit_for_real(teacher(), lines, ~np.isin(lines.fold, out), heed=heed), pairs
    )
    for number, (out, one) in enumerate(zip(pairs, teachers, strict=True)):
        for of, to in (out, out[::-1]):
            these = lines.fold == of
            if these.any():
                found[to][these] = softmax(said(one, lines.x[these], labels))
        report((number + 1) / len(pairs))
    return found


def side_by_side(fit: Callable[[Any, Heed], LineClassifier], those: Iterable[Any]) -> Iterator[LineClassifier]:
    """Yield a fitted head for each of those, in order, working on :data:`WORKERS` at a time in threads.

    That is faster than one at a time with matrix products in as many threads. Where it is left before its end, by
    Ctrl-C or an error, the fits under way end behind their epoch: ``fit`` is given what they have to call there.
    """
    left = threading.Event()

    def heed(share: float) -> None:
        if left.is_set():
            raise CancelledError

    def alone(one: Any) -> LineClassifier:
        with one_thread():  # until its own end, too: a fork beside matrix products in several threads may never return
            return fit(one, heed)

    try:
        with one_thread():
            yield from Parallel(n_jobs=WORKERS, prefer="threads", return_as="generator")(map(delayed(alone), those))
    finally:
        left.set()


def said(head: LineClassifier, x: Floats, labels: int) -> Floats:
    """Return a head's logits by label number, [lines, labels]."""
    found = np.full((len(x), labels), NEVER, np.float32)
    found[:, head.classes_] = head.logits(x)
    return found


def fit_for_real(
    head: LineClassifier,
    lines: Lines,
    use: npt.NDArray[np.bool_],
    soft: Floats | None = None,
    heed: Heed | None = None,
) -> LineClassifier:
    """Fit a head on some lines with ``invented`` as a last feature, and return it with that taken for 0."""
    head.progress = heed
    x, y, last = lines.x[use], lines.y[use], np.asarray(lines.invented[use, None], np.float32)
    x = np.concatenate([x, last], axis=1) if last.any() else x
    head.fit(x, y, sample_weight=lines.weight[use], soft_targets=None if soft is None else soft[use][:, np.unique(y)])
    head.progress = None
    return head.without_last() if last.any() else head


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


def first_pass(parts: Sequence[Part], scores: Sequence[Floats], seed: int) -> tuple[Floats, Floats]:
    """Fit the softmax over text and shape: weights [features, labels] and bias, unscaled."""
    rng = np.random.default_rng(seed)
    rows, target, weight = [], [], []
    total = sum(int(part.sure.sum()) for part in parts)
    for part, score in zip(parts, scores, strict=True):
        chosen = np.flatnonzero(part.sure & (rng.random(len(part.sure)) < FIRST_PASS_ROWS / max(total, 1)))
        rows.append(np.concatenate([score, line_features(part.batch)], axis=1)[chosen])
        target.append(part.label[chosen])
        weight.append(part.weight[chosen])
    x = np.concatenate(rows)
    scale, mean = spread(x, x.dtype), x.mean(axis=0)
    y, heavy = np.concatenate(target), np.concatenate(weight)
    model = linear_softmax((x - mean) / scale, y, heavy, inverse_penalty=0.1, steps=300)
    labels = int(max(part.label.max() for part in parts)) + 1
    coef, bias = np.zeros((labels, x.shape[1])), np.full(labels, NEVER)
    coef[model.classes_], bias[model.classes_] = by_class(model)
    coef = coef / scale
    return coef.T.astype(np.float32), (bias - coef @ mean).astype(np.float32)


def linear_softmax(
    x: Floats, y: Ints, weight: Floats | None = None, *, inverse_penalty: float, steps: int
) -> LogisticRegression:
    """Fit a softmax over scaled features, as near as so many steps come; that it ends there warns nobody who trains."""
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return LogisticRegression(C=inverse_penalty, max_iter=steps).fit(x, y, sample_weight=weight)


def by_class(model: LogisticRegression) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return coefficients and intercept of each class; of two a model has but one, which each gets half of."""
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    return np.concatenate([-model.coef_, model.coef_]) / 2, np.concatenate([-model.intercept_, model.intercept_]) / 2
