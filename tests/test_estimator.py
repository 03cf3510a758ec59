"""The estimator keeps scikit-learn's conventions, by scikit-learn's own checks."""

import signal
import threading
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from cleaner.classifier import LineClassifier
from cleaner.heads import Heed, Lines, fit_for_real, side_by_side, teach, teachable

#: Checks that cannot pass, and why.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "rows are drawn in small batches, so that a row that is there "
    "twice is not a row that counts twice; and features are scaled by all rows alike",
}


@pytest.mark.slow
@parametrize_with_checks([LineClassifier()], expected_failed_checks=lambda one: EXPECTED)  # type: ignore[untyped-decorator]
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def rows() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5)).astype(np.float32)
    return X, np.array(["body", "junk", "price"])[X[:, :3].argmax(axis=1)], np.arange(300) % 6


@pytest.mark.parametrize("count", [24, 600, 2_000, 100_000])
def test_few_rows_take_steps_enough_in_few_epochs(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    fit = MLPClassifier.partial_fit

    def counted(network: MLPClassifier, x: Any, *given: Any, **named: Any) -> MLPClassifier:
        sizes.append(len(x))
        return fit(network, x, *given, **named)

    monkeypatch.setattr(MLPClassifier, "partial_fit", counted)
    x = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    network = LineClassifier(hidden=1).fit(x, x[:, 0] > 0).network_
    steps = sum(sizes) / network.batch_size
    assert 500 <= steps < 600 or (steps >= 500 and len(sizes) == LineClassifier().epochs)
    assert len(sizes) <= 25


def test_rows_of_one_class_are_refused() -> None:
    with pytest.raises(ValueError, match=r"all rows are of one class, 'a'\. Give rows of at least two"):
        LineClassifier().fit(np.zeros((4, 2)), np.array(["a"] * 4))


def test_grid_search_with_groups() -> None:
    X, y, sites = rows()
    search = GridSearchCV(LineClassifier(hidden=8, epochs=2), {"penalty": [0.1, 10.0]}, cv=GroupKFold(3))
    search.fit(X, y, groups=sites)
    assert search.best_params_["penalty"] in (0.1, 10.0)
    assert search.best_estimator_.predict(X[:3]).shape == (3,)


def test_cross_val_predict_and_joblib(tmp_path: Path) -> None:
    X, y, sites = rows()
    model = LineClassifier(hidden=8, epochs=2)
    assert cross_val_predict(model, X, y, groups=sites, cv=GroupKFold(3)).shape == y.shape
    joblib.dump(model.fit(X, y), tmp_path / "model.joblib")
    again = joblib.load(tmp_path / "model.joblib")
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.exp(again.predict_log_proba(X)) == pytest.approx(again.predict_proba(X), abs=1e-6)
    assert np.isfinite(again.predict_log_proba(X * 1e6)).all()


@pytest.mark.parametrize(
    ("parameters", "error", "words"),
    [
        ({"members": 0}, ValueError, "members == 0, must be >= 1"),
        ({"epochs": 0}, ValueError, "epochs == 0"),
        ({"epochs": -3}, ValueError, "epochs == -3"),
        ({"hidden": "a"}, TypeError, "hidden must be"),
        ({"penalty": -1.0}, ValueError, "penalty == -1.0"),
        ({"penalty": float("nan")}, ValueError, "penalty == nan, must be finite"),
        ({"hidden": True}, TypeError, "hidden must be a number, not True"),
    ],
)
def test_parameters_that_cannot_be(parameters: dict[str, Any], error: type[Exception], words: str) -> None:
    X, y, _ = rows()
    model = LineClassifier(**parameters)
    with pytest.raises(error, match=words):
        model.fit(X, y)


def test_rows_that_weigh_nothing_are_left_out() -> None:
    """Whole batches of them cannot be divided by what they weigh."""
    X, y, _ = rows()
    weight = np.zeros(300)
    weight[:30] = 1
    model = LineClassifier(hidden=8, epochs=2).fit(X, y, sample_weight=weight)
    alone = LineClassifier(hidden=8, epochs=2).fit(X[:30], y[:30])
    assert np.array_equal(model.predict_proba(X), alone.predict_proba(X))
    for wrong in (np.zeros(300), -weight):
        with pytest.raises(ValueError, match=r"at least one non-zero|[Nn]egative"):
            model.fit(X, y, sample_weight=wrong)


def test_labels_that_cannot_be() -> None:
    X, y, _ = rows()
    with pytest.raises(ValueError, match="all rows are of one class, 'body'"):
        LineClassifier().fit(X, np.full(300, "body"))
    model = LineClassifier(hidden=8, epochs=2).fit(X, y)
    with pytest.raises(ValueError, match=r"unknown labels \['advert', 'zebra'\]"):
        model.calibrate(model.logits(X[:3]), np.array(["body", "zebra", "advert"]), np.ones(3, np.float32))


@pytest.mark.parametrize("wrong", [{"y": ["new"] * 9}, {"sample_weight": [1.0]}, {"soft_targets": "x"}, {}], ids=str)
def test_a_fit_that_fails_leaves_the_one_before(wrong: dict[str, Any]) -> None:
    def stop(share: float) -> None:
        raise ValueError("stopped")

    X, y, _ = rows()
    new, fitted = LineClassifier(), LineClassifier(hidden=8, epochs=2).fit(X, y)
    before = fitted.predict_proba(X)
    for model in (new, fitted):
        model.progress = stop
        with pytest.raises(ValueError, match=r"one class|sample_weight|soft_targets|stopped"):
            model.fit(**{"X": X[:9, :2], "y": ["new", "old", "older"] * 3, **wrong})
    assert np.array_equal(fitted.predict_proba(X), before)
    with pytest.raises(NotFittedError):
        new.predict(X)


def test_two_classes_have_one_decision() -> None:
    X, y, _ = rows()
    two = LineClassifier(hidden=8, epochs=2).fit(X, y == "body")
    assert two.decision_function(X).shape == (300,)
    assert two.logits(X).shape == (300, 2)
    assert ((two.decision_function(X) > 0) == two.predict(X)).all()


def test_last_feature_taken_for_zero() -> None:
    X, y, _ = rows()
    model = LineClassifier(hidden=8, epochs=2).fit(X, y)
    zero = np.concatenate([X[:, :-1], np.zeros((300, 1), np.float32)], axis=1)
    expected = model.logits(zero)
    assert model.without_last().logits(X[:, :-1]) == pytest.approx(expected, abs=1e-4)
    assert model.n_features_in_ == 4


def test_invented_rows_teach_without_bending_what_real_rows_say() -> None:
    """What is 1 on a real page is 0 on an invented one: of lines to come the real pages are believed."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 5)).astype(np.float32)
    real = np.arange(2000) % 4 == 0
    y = np.where(real, X[:, 0] > 0, X[:, 0] < 0).astype(np.int64)
    even = np.ones(2000, np.float32)
    lines = Lines(X, y, even, ~real, np.zeros(2000, np.int64))
    head = fit_for_real(LineClassifier(hidden=16, epochs=20, penalty=0.001), lines, even > 0)
    assert np.mean(head.predict(X[real]) == y[real]) > 0.9
    bent = LineClassifier(hidden=16, epochs=20, penalty=0.001).fit(X, y)
    assert np.mean(bent.predict(X[real]) == y[real]) < 0.5


def test_half_of_what_a_head_learns_are_soft_targets() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 5)).astype(np.float32)
    y = X[:, :3].argmax(axis=1)
    chance, head = rng.permutation(y), LineClassifier(hidden=16, epochs=20, penalty=0.1)
    assert head.fit(X, chance).score(X, y) < 0.6
    even, none = np.ones(3000, np.float32), np.zeros(3000, np.bool_)
    taught = fit_for_real(head, Lines(X, chance, even, none, np.zeros(3000, np.int64)), even > 0, np.eye(3)[y])
    assert taught.score(X, y) > 0.9


@pytest.mark.parametrize(
    "wrong",
    [
        np.eye(3)[:2],
        np.eye(2)[[0] * 300],
        np.ones(300),
        np.full((300, 3), np.nan),
        np.full((300, 3), -1),
        np.zeros((300, 3)),
        "x",
    ],
)
def test_soft_targets_that_cannot_be(wrong: Any) -> None:
    X, y, _ = rows()
    with pytest.raises(ValueError, match="soft_targets"):
        LineClassifier(hidden=8, epochs=2).fit(X, y, soft_targets=wrong)


def test_teachers_have_seen_neither_the_line_nor_what_is_held_out() -> None:
    """Other labels in a fold change nothing that a head without it learns, nor what any head hears of that fold."""
    X, names, sites = rows()
    sites %= 3
    y, steps = np.unique(names, return_inverse=True)[1], list[float]()
    even, none = np.ones(len(X), np.float32), np.zeros(len(X), np.bool_)

    def taught(y: Any) -> Any:
        return teach(Lines(X, y, even, none, sites), lambda: LineClassifier(hidden=4, epochs=1), steps.append)

    before = taught(y)
    assert len(before) == 4
    assert teachable(Lines(X, y, even, none, sites))
    assert not teachable(Lines(X, y, even, none, sites % 2))
    assert not teachable(Lines(X, np.where(sites == 1, 0, y), even, none, sites))
    assert steps == sorted(steps)
    assert steps[-1] == 1
    for out in (0, 2):
        after, here = taught(np.where(sites == out, (y + 1) % 3, y)), sites == out
        assert np.array_equal(after[out], before[out])
        assert not after[out][here].any()
        assert after[out][~here].sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert all(np.array_equal(a[here], b[here]) for a, b in zip(after, before, strict=True))
        assert not np.array_equal(after[-1], before[-1])


def test_a_fit_that_is_stopped_stops() -> None:
    """scikit-learn takes an interrupt for the end of a network's training and goes on; in a thread it gets none."""
    X = np.random.default_rng(0).normal(size=(20_000, 50)).astype(np.float32)
    begun, before = threading.Event(), threading.active_count()
    epochs: list[float] = []

    def stop() -> None:
        begun.wait(60)
        time.sleep(0.05)  # into an epoch
        signal.raise_signal(signal.SIGINT)

    def fit(number: int, heed: Heed) -> LineClassifier:
        def told(share: float) -> None:
            begun.set()
            epochs.append(share)
            heed(share)

        head = LineClassifier(epochs=400)
        head.progress = told
        return head.fit(X, X[:, 0] > 0)

    threading.Thread(target=stop, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        list(side_by_side(fit, range(2)))
    until = time.monotonic() + 60
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.05)
    assert threading.active_count() <= before, "what was left goes on"
    assert max(epochs) < 1


@pytest.mark.parametrize("seed", [None, np.random.RandomState(1), np.int64(3), 2**32 - 1])
def test_random_state_may_be_what_scikit_learn_takes(seed: Any) -> None:
    X, y, _ = rows()
    assert LineClassifier(hidden=8, epochs=2, random_state=seed, members=2).fit(X, y).predict(X[:3]).shape == (3,)
