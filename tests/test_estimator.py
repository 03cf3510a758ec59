"""The estimator keeps scikit-learn's conventions, by scikit-learn's own checks."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.utils.estimator_checks import parametrize_with_checks

from cleaner.classifier import LineClassifier
from cleaner.heads import fit_for_real

#: Checks that cannot pass, and why.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "rows are drawn in small batches, so that a row that is there "
    "twice is not a row that counts twice; and features are scaled by all rows alike",
}


@pytest.mark.slow
@parametrize_with_checks([LineClassifier(epochs=150)], expected_failed_checks=lambda one: EXPECTED)  # type: ignore[untyped-decorator]
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def rows() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5)).astype(np.float32)
    return X, np.array(["body", "junk", "price"])[X[:, :3].argmax(axis=1)], np.arange(300) % 6


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
    head = fit_for_real(LineClassifier(hidden=16, epochs=20, penalty=0.001), X, y, even, ~real)
    assert np.mean(head.predict(X[real]) == y[real]) > 0.9
    bent = LineClassifier(hidden=16, epochs=20, penalty=0.001).fit(X, y)
    assert np.mean(bent.predict(X[real]) == y[real]) < 0.5
