"""Fit near a prior: what few lines teach is a change to weights that are there already, as small as will do.

Both fits minimise the cross entropy on some lines plus a pull back to where they started. The lines are the new
ones, with their labels, and lines of other sites, whose target is what the model said of them before: at the
start these pull nowhere, so that only the new lines move the weights, and then they hold (the distillation of
Li and Hoiem, Learning without Forgetting, 2016).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from cleaner.arguments import check_settings

Floats = npt.NDArray[np.float32]
#: First and second moment of Adam (Kingma and Ba, 2015), and what keeps its division sound.
BETA1, BETA2, TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Targets:
    """What lines are to be: the probability of each column, [lines, columns], and what each line counts."""

    share: Floats
    weight: Floats


@dataclass(frozen=True)
class Steps:
    """How far a head may move: passes over the lines, lines a step, size of a step, pull to the start, seed."""

    epochs: int = 8
    batch: int = 256
    rate: float = 2e-3
    pull: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise :class:`UsageError` if a setting cannot be used."""
        check_settings(self, {"rate": (0, 1)})


@dataclass(frozen=True)
class Head:
    """The weights of a head: [features, units], [units], [units, labels], [labels]."""

    hidden_weights: Floats
    hidden_bias: Floats
    output_weights: Floats
    output_bias: Floats


def moved_rows(scores: Floats, grams: csr_matrix, targets: Targets, penalty: float) -> Floats:
    """Return increments to the rows of a text table, float32 [rows of ``grams``, columns].

    ``scores`` [lines, columns] are the sums by the table as it is, ``grams`` [lines, rows] holds what each row
    counts in each line. One logistic regression a column, with the sums as offset.
    """
    size = (grams.shape[1], scores.shape[1])
    across = grams.T.tocsr()
    weight = targets.weight[:, None]

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        change = flat.reshape(size)
        logits = scores + grams @ change
        entropy = np.logaddexp(0, logits) - targets.share * logits
        slope = weight * (1 / (1 + np.exp(-logits)) - targets.share)
        value = float((weight * entropy).sum() + penalty / 2 * (flat @ flat))
        return value, np.asarray(across @ slope + penalty * change, np.float64).ravel()

    found = minimize(loss, np.zeros(size[0] * size[1]), jac=True, method="L-BFGS-B", options={"maxiter": 40})
    return np.asarray(found.x.reshape(size), np.float32)


def moved_head(start: Head, x: Floats, targets: Targets, steps: Steps) -> Head:
    """Return a head fitted from where it is, by Adam; the weights of the second half of the steps are averaged.

    ``x`` is [lines, features]. The fit is on scaled features, so that one size of step suits all.
    """
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-3)
    x = (x - mean) / scale
    prior = [
        start.hidden_weights * scale[:, None],
        start.hidden_bias + mean @ start.hidden_weights,
        start.output_weights,
        start.output_bias,
    ]
    now = [array.astype(np.float32) for array in prior]
    moments = [[np.zeros_like(array) for array in now] for _ in range(2)]
    sums = [np.zeros_like(array, np.float64) for array in now]
    rng = np.random.default_rng(steps.seed)
    order = np.concatenate([rng.permutation(len(x)) for _ in range(steps.epochs)])
    groups = np.array_split(order, max(len(order) // steps.batch, 2))
    for number, rows in enumerate(groups, 1):
        slopes = gradient(now, x[rows], targets.share[rows], targets.weight[rows])
        for at, slope in enumerate(slopes):
            first, second = moments[0][at], moments[1][at]
            first += (1 - BETA1) * (slope - first)
            second += (1 - BETA2) * (slope * slope - second)
            step = first / (1 - BETA1**number) / (np.sqrt(second / (1 - BETA2**number)) + TINY)
            now[at] -= steps.rate * (step + steps.pull * (now[at] - prior[at]))
            if 2 * number > len(groups):
                sums[at] += now[at]
    hidden, bias, *output = (np.asarray(total / (len(groups) - len(groups) // 2), np.float32) for total in sums)
    hidden = hidden / scale[:, None]
    return Head(hidden, bias - mean @ hidden, *output)


def gradient(now: list[Floats], x: Floats, share: Floats, weight: Floats) -> list[Floats]:
    """Return the gradient of the weighted mean cross entropy for each array of a head."""
    hidden_weights, hidden_bias, output_weights, output_bias = now
    hidden = np.maximum(x @ hidden_weights + hidden_bias, 0)
    logits = hidden @ output_weights + output_bias
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    slope = (grown / grown.sum(axis=1, keepdims=True) - share) * (weight / max(weight.sum(), TINY))[:, None]
    below = (slope @ output_weights.T) * (hidden > 0)
    return [x.T @ below, below.sum(axis=0), hidden.T @ slope, slope.sum(axis=0)]
