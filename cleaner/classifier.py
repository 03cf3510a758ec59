"""The head as a scikit-learn estimator: scaled features to calibrated label probabilities."""

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neural_network import MLPClassifier
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from cleaner.network import softmax

Floats = npt.NDArray[np.float32]
#: Rows a step, and how many steps there are at least: on few rows smaller steps and more passes than asked for.
LARGE_BATCH, SMALL_BATCH, BATCHES = 1024, 32, 50
STEPS = 500
#: Epochs that more passes make at most; beyond that there are several in each, as an epoch is a call of scikit-learn.
EPOCHS = 25
#: What a parameter is, and at least.
PARAMETERS = (("hidden", Integral, 1), ("penalty", Real, 0), ("epochs", Integral, 1), ("members", Integral, 1))
#: The share of lines that a pass takes at a soft target instead of their label.
SOFT = 0.5


class LineClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Small multilayer perceptrons over line features, averaged over their last epochs and calibrated.

    With several ``members`` their logits are averaged, which makes one network with a wider hidden layer.

    ``X`` is float [lines, features], one row a line with its context already in it, so that rows can
    be chosen freely, with values around 1; ``y`` holds the labels. Follows scikit-learn's conventions for classifiers.
    """

    def __init__(
        self,
        hidden: int = 64,
        penalty: float = 0.3,
        epochs: int = 8,
        random_state: int | np.random.RandomState | None = 0,
        members: int = 1,
    ) -> None:
        """Take the size of a hidden layer, the L2 penalty, epochs (the last half are averaged), seed and members.

        On few rows there are more epochs, or several passes in each, so that the network takes at least :data:`STEPS`
        steps.
        """
        self.hidden = hidden
        self.penalty = penalty
        self.epochs = epochs
        self.random_state = random_state
        self.members = members

    #: Called after each epoch with the share done; not a parameter of the estimator.
    progress: Callable[[float], None] | None = None

    def fit(self, X: Any, y: Any, sample_weight: Any = None, soft_targets: Any = None) -> "LineClassifier":
        """Fit on rows and labels; the probabilities stay the network's own until :meth:`calibrate`.

        ``sample_weight`` is [rows], about 1 in the mean, as the penalty is weighed against the sum; rows of weight 0
        are left out. ``soft_targets`` are what others say of the rows, [rows, classes] in the order of ``classes_``:
        each pass draws the labels of half of the rows from them.
        Source: Hinton et al., Distilling the knowledge in a neural network (2015).

        Raises:
            TypeError: a parameter is of another type.
            ValueError: a parameter is too small or no number; the rows are of one class, do not fit the labels, or have
                no numbers; weights are negative, or all 0; soft targets are of another shape, or no probabilities.
                Whatever is raised, an earlier fit stays.
        """
        before = vars(self).copy()
        try:
            return self._fit(X, y, sample_weight, soft_targets)
        except BaseException:
            self.__dict__ = before
            raise

    def _fit(self, X: Any, y: Any, sample_weight: Any, soft_targets: Any) -> "LineClassifier":
        """Fit as :meth:`fit` does; an error may leave part of the old fit beside part of the new one."""
        for name, kind, least in PARAMETERS:
            value = check_scalar(getattr(self, name), name, kind, min_val=least)
            if isinstance(value, bool):
                raise TypeError(f"{name} must be a number, not {value}.")
            if not math.isfinite(value):
                raise ValueError(f"{name} == {value}, must be finite.")
        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            only = self.classes_.tolist()[0]
            raise ValueError(f"all rows are of one class, {only!r}. Give rows of at least two classes.")
        weight = _check_sample_weight(sample_weight, X, dtype=np.float32, ensure_non_negative=True)
        soft = None if soft_targets is None else summed(soft_targets, (len(X), len(self.classes_)))
        if not weight.all():
            use = weight > 0
            X, codes, weight, soft = X[use], codes[use], weight[use], None if soft is None else soft[use]
        self.mean_ = X.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.scale_ = spread(X).astype(np.float32)
        scaled = (X - self.mean_) / self.scale_
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(2**31)
        seeds = [(int(seed), member) for member in range(self.members)]
        self.network_ = merged([self._network(scaled, codes, weight, soft, one) for one in seeds])
        self.calibration_ = np.ones(len(self.classes_), np.float32), np.zeros(len(self.classes_), np.float32)
        return self

    def without_last(self) -> "LineClassifier":
        """Take the last feature for 0 in all rows to come, which are without it."""
        first = self.network_.coefs_[0]
        self.network_.intercepts_[0] = self.network_.intercepts_[0] - self.mean_[-1] / self.scale_[-1] * first[-1]
        self.network_.coefs_[0] = first[:-1]
        self.mean_, self.scale_ = self.mean_[:-1], self.scale_[:-1]
        self.n_features_in_ -= 1
        return self

    def calibrate(self, logits: Floats, y: Any, sample_weight: Floats) -> "LineClassifier":
        """Set temperature and shifts from logits of rows that the fit did not see.

        Raises:
            ValueError: a label is none of those that were fitted.
        """
        if unknown := sorted(set(np.asarray(y).tolist()) - set(self.classes_.tolist()), key=str):
            raise ValueError(f"y: unknown labels {unknown}. Give rows of the classes that were fitted.")
        codes = np.searchsorted(self.classes_, y)
        self.calibration_ = calibrate(logits, codes, sample_weight)
        return self

    def _network(
        self, x: Floats, codes: npt.NDArray[np.int64], weight: Floats, soft: Floats | None, seed: tuple[int, int]
    ) -> MLPClassifier:
        """Fit a perceptron epoch by epoch and average the weights of the last; ``soft`` targets are summed up.

        ``seed`` is that of the classifier and the number of the member.
        """
        batch = min(LARGE_BATCH, max(SMALL_BATCH, len(x) // BATCHES), len(x))
        passes = -(-STEPS * batch // len(x))
        times = -(-passes // max(self.epochs, EPOCHS))
        epochs = max(self.epochs, -(-passes // times))
        if times > 1:
            again = np.tile(np.arange(len(x)), times)
            x, codes, weight, soft = x[again], codes[again], weight[again], None if soft is None else soft[again]
        network = MLPClassifier((self.hidden,), alpha=self.penalty, batch_size=batch, random_state=sum(seed) % 2**32)
        rng = np.random.default_rng(seed)
        sums: list[Any] = []
        averaged = max(1, epochs // 2)
        for epoch in range(epochs):
            targets = codes if soft is None else drawn(codes, soft, rng)
            network.partial_fit(x, targets, classes=np.arange(len(self.classes_)), sample_weight=weight)
            if epoch >= epochs - averaged:
                now = [array.astype(np.float64) for array in (*network.coefs_, *network.intercepts_)]
                sums = [a + b for a, b in zip(sums, now, strict=True)] if sums else now
            if self.progress:
                self.progress((seed[1] + (epoch + 1) / epochs) / self.members)
        means = [np.asarray(array / averaged, np.float32) for array in sums]
        network.coefs_, network.intercepts_ = means[: len(network.coefs_)], means[len(network.coefs_) :]
        return network

    def decision_function(self, X: Any) -> Floats:
        """Return calibrated logits, float32 [rows, classes]; for two classes their difference, [rows].

        Raises as :meth:`predict`.
        """
        logits = self.logits(X)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def logits(self, X: Any) -> Floats:
        """Return calibrated logits, float32 [rows, classes], for two classes, too."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        (first, last), (bias, out_bias) = self.network_.coefs_, self.network_.intercepts_
        hidden = np.maximum((X - self.mean_) / self.scale_ @ first + bias, 0)
        out = hidden @ last + out_bias
        out = np.concatenate([-out / 2, out / 2], axis=1) if out.shape[1] == 1 else out
        factor, shift = self.calibration_
        return np.asarray(out * factor + shift, np.float32)

    def predict_proba(self, X: Any) -> Floats:
        """Return probabilities, float32 [rows, classes], in the order of ``classes_``; raises as :meth:`predict`."""
        return softmax(self.logits(X))

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithms of :meth:`predict_proba`, finite where those are 0, float32 [rows, classes]."""
        logits = self.logits(X)
        return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the likeliest class of each row, [rows].

        Raises:
            NotFittedError: there was no :meth:`fit` before.
            ValueError: the rows have other features than those of the fit.
        """
        logits = self.logits(X)
        return np.asarray(self.classes_[logits.argmax(axis=1)])

    def arrays(self, labels: int, name: str) -> dict[str, Floats]:
        """Return the head as plain arrays, scaling and calibration folded in, classes being label numbers."""
        check_is_fitted(self)
        first, last = self.network_.coefs_
        bias, out_bias = self.network_.intercepts_
        if last.shape[1] == 1:
            last, out_bias = (
                np.concatenate([-last / 2, last / 2], axis=1),
                np.array([-out_bias[0] / 2, out_bias[0] / 2]),
            )
        factor, shift = self.calibration_
        weights, offset = np.zeros((len(last), labels)), np.full(labels, -20.0)
        weights[:, self.classes_], offset[self.classes_] = last * factor, out_bias * factor + shift
        found = {
            "hidden_weights": first / self.scale_[:, None],
            "hidden_bias": bias - (self.mean_ / self.scale_) @ first,
            "output_weights": weights,
            "output_bias": offset,
        }
        return {f"{name}_{part}": np.asarray(array, np.float32) for part, array in found.items()}


def spread(values: Floats, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """Return by what to divide columns, [columns]: their standard deviation, but at least that of one row with a 1.

    Else what no row of a few has would weigh thousands of times as much, at random, in the first row that has it.
    """
    found = np.asarray(values.std(axis=0, dtype=dtype))
    return np.asarray(np.maximum(found, np.asarray(len(values) ** -0.5, found.dtype)))


def summed(soft_targets: Any, shape: tuple[int, int]) -> Floats:
    """Return soft targets summed up along the classes, [rows, classes]; raise ValueError if they cannot be used."""
    soft = np.asarray(soft_targets)
    if (
        soft.shape != shape
        or soft.dtype.kind not in "fiub"
        or not (soft.min() >= 0 and soft.max() < np.inf and soft.sum(axis=1).all())
    ):
        raise ValueError(f"soft_targets: {shape[0]} rows with a probability for each of {shape[1]} classes are wanted.")
    return np.cumsum(soft, axis=1, dtype=np.float32)


def drawn(codes: npt.NDArray[np.int64], soft: Floats, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return the codes, those of a share of the rows drawn from ``soft``, summed probabilities, [rows, classes]."""
    draws = (rng.random((len(codes), 1)) * soft[:, -1:] > soft[:, :-1]).sum(axis=1)
    return np.where(rng.random(len(codes)) < SOFT, draws, codes)


def merged(networks: list[MLPClassifier]) -> MLPClassifier:
    """Return one network with the mean logits of several."""
    one, count = networks[0], len(networks)
    one.coefs_ = [
        np.concatenate([network.coefs_[0] for network in networks], axis=1),
        np.concatenate([network.coefs_[1] for network in networks]) / np.float32(count),
    ]
    first, last = ([network.intercepts_[layer] for network in networks] for layer in (0, 1))
    one.intercepts_ = [np.concatenate(first), np.asarray(np.mean(last, axis=0), np.float32)]
    return one


def calibrate(logits: Floats, codes: npt.NDArray[np.int64], weight: Floats) -> tuple[Floats, Floats]:
    """Fit one temperature and a shift for each class on held-out rows, by logistic regression.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017), bias-corrected temperature.
    """
    from scipy.optimize import minimize

    classes = logits.shape[1]
    truth = np.eye(classes)[codes]
    total = weight.sum()

    def loss(values: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        raw = logits * values[0] + values[1:]
        raw = raw - raw.max(axis=1, keepdims=True)
        log = raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))
        slope = (np.exp(log) - truth) * weight[:, None] / total
        gradient = np.concatenate([[(slope * logits).sum()], slope.sum(axis=0)])
        return float(-(log * truth).sum(axis=1) @ weight / total), gradient

    found = minimize(loss, np.concatenate([[1.0], np.zeros(classes)]), jac=True, method="L-BFGS-B").x
    return np.full(classes, found[0], np.float32), found[1:].astype(np.float32)
