"""Fit a model: text table, first pass, head, calibration; all with scikit-learn, exported as arrays.

The scores that the first pass and the head train on are out of fold, grouped by site: what a table says
of the very lines that it was fitted on is no guide to what it says of others. The calibration and the
held-out figures of the card are out of fold, too, for table and head.
"""

import datetime
import importlib.metadata
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import vstack
from sklearn.linear_model import LogisticRegression, SGDClassifier

from cleaner.classifier import LineClassifier
from cleaner.cleaning import Cleaner, Result
from cleaner.corpus import LabelledDocument, digest, read_labelled
from cleaner.evaluation import compare, figures, joined, measure
from cleaner.features import VERSION, line_features, text_scores, unicode_tables
from cleaner.labels import BODY, DEFAULT_KEEP
from cleaner.model import FORMAT, Model, decide, softmax
from cleaner.sampling import (
    COPY,
    Part,
    TableRows,
    column_names,
    head_rows,
    label_order,
    read_part,
    split,
    table_rows,
)

__all__ = ["Options", "train"]

Floats = npt.NDArray[np.float32]
Report = Callable[[str, float], None]

FIRST_PASS_ROWS = 200_000
#: What is known of the licences of the labels of public gold sets; the text of real pages is their publishers'.
LICENCES = {
    "daniel": "labels: none stated (rundimeco/waddle)",
    "fundus": "labels: MIT (flairNLP/fundus)",
    "fundus_hist": "labels: MIT (flairNLP/fundus)",
    "invented": "MIT, written for this project",
    "trafilatura_segments": "labels: Apache-2.0 (adbar/trafilatura)",
    "wcxb": "labels: CC-BY-4.0 (Murrough-Foley/web-content-extraction-benchmark)",
}
WEIGHTS = (0.7, 1.0, 1.4, 2.0, 2.8, 4.0)


@dataclass(frozen=True)
class Options:
    """Settings of a training run; :func:`train` writes them into the card."""

    seed: int = 0
    folds: int = 5
    rows: int = 2**19
    alpha: float = 3e-7
    text_epochs: int = 10
    hidden: int = 64
    penalty: float = 0.3
    epochs: int = 8
    averaged: int = 4
    page_junk: float = 0.3
    body_weight: float = 3.4


def fit_table(tables: Sequence[TableRows], columns: int, options: Options) -> Floats:
    """Fit the text table, one against the rest: float32 [rows, columns]."""
    model = SGDClassifier(
        loss="log_loss",
        alpha=options.alpha,
        max_iter=options.text_epochs,
        tol=None,
        average=True,
        random_state=options.seed,
        n_jobs=-1,
    )
    target = np.concatenate([table.column for table in tables])
    model.fit(vstack([table.grams for table in tables], format="csr"), target)
    weights = np.zeros((options.rows, columns), np.float32)
    if len(model.classes_) == 2:
        weights[:, model.classes_[1]], weights[:, model.classes_[0]] = model.coef_[0], -model.coef_[0]
    else:
        weights[:, model.classes_] = model.coef_.T
    return weights.astype(np.float16).astype(np.float32)


def fit_first_pass(parts: Sequence[Part], scores: Sequence[Floats], options: Options) -> tuple[Floats, Floats]:
    """Fit the softmax over text and shape: weights [features, labels] and bias, unscaled."""
    rng = np.random.default_rng(options.seed)
    rows, target, weight = [], [], []
    total = sum(int(part.sure.sum()) for part in parts)
    for part, score in zip(parts, scores, strict=True):
        chosen = np.flatnonzero(part.sure & (rng.random(len(part.sure)) < FIRST_PASS_ROWS / max(total, 1)))
        rows.append(np.concatenate([score, line_features(part.batch)], axis=1)[chosen])
        target.append(part.label[chosen])
        weight.append(part.weight[chosen])
    x = np.concatenate(rows)
    scale, mean = np.maximum(x.std(axis=0), 1e-6), x.mean(axis=0)
    model = LogisticRegression(C=0.1, max_iter=300)
    model.fit((x - mean) / scale, np.concatenate(target), sample_weight=np.concatenate(weight))
    labels = int(max(part.label.max() for part in parts)) + 1
    coef, bias = np.zeros((labels, x.shape[1])), np.full(labels, -20.0)
    if len(model.classes_) == 2:
        coef[model.classes_] = [-model.coef_[0] / 2, model.coef_[0] / 2]
        bias[model.classes_] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        coef[model.classes_], bias[model.classes_] = model.coef_, model.intercept_
    coef = coef / scale
    return coef.T.astype(np.float32), (bias - coef @ mean).astype(np.float32)


class Heads:
    """Fits the head on all folds, and on all but one in turn for the out-of-fold figures."""

    def __init__(self, model: Model, parts: Sequence[Part], scores: Sequence[Floats], options: Options) -> None:
        """Compute the inputs of the lines that the head trains on."""
        self.model, self.parts, self.scores, self.options = model, parts, scores, options
        rng = np.random.default_rng(options.seed)
        rows = []
        for part, score in zip(parts, scores, strict=True):
            chosen, weight = head_rows(part, options.page_junk, rng)
            rows.append((self.inputs(part, score)[chosen], part.label[chosen], weight))
        self.fold = np.concatenate([np.full(len(row[1]), number) for number, row in enumerate(rows)])
        self.x, self.y, self.weight = (np.concatenate(column) for column in zip(*rows, strict=True))

    def inputs(self, part: Part, scores: Floats) -> Floats:
        """Return what the head sees of a fold, [lines, features]."""
        return np.concatenate([rows for _, rows in self.model.inputs(part.batch, scores)])

    def fit(self, without: int | None = None) -> LineClassifier:
        """Fit a head, leaving one fold out or none."""
        o = self.options
        rows = slice(None) if without is None else self.fold != without
        head = LineClassifier(o.hidden, o.penalty, o.epochs, o.averaged, o.seed)
        return head.fit(self.x[rows], self.y[rows], sample_weight=self.weight[rows])

    def held_out(self, number: int) -> Floats:
        """Return the logits of a fold's lines by a head that has not seen it, a column a label."""
        head = self.fit(number)
        part = self.parts[number]
        logits = np.full((len(part.label), len(self.model.labels)), -20, np.float32)
        logits[:, head.classes_] = head.decision_function(self.inputs(part, self.scores[number]))
        return logits


def fit(documents: Sequence[LabelledDocument], options: Options, report: Report) -> Model:
    """Fit a model; its card holds what using it needs and the held-out figures."""
    labels = label_order(documents)
    columns = len(column_names(labels))
    rng = np.random.default_rng(options.seed)
    report("reading", 0.02)
    parts = [read_part(fold, labels) for fold in split(documents, options.folds, options.seed)]
    tables = [table_rows(part, options.rows, rng) for part in parts]
    scores = []
    for number, part in enumerate(parts):
        report(f"text scores without fold {number + 1} of {len(parts)}", 0.1 + 0.07 * number)
        table = fit_table(tables[:number] + tables[number + 1 :], columns, options)
        scores.append(text_scores(part.batch.tokens, table))
    report("text table", 0.45)
    table = fit_table(tables, columns, options)
    del tables
    report("first pass", 0.55)
    classes, folded = unicode_tables()
    weights, bias = fit_first_pass(parts, scores, options)
    arrays: dict[str, Any] = {"classes": classes, "folded": folded, "table": table}
    arrays.update(first_weights=weights, first_bias=bias)
    card: dict[str, Any] = {"format": FORMAT, "features": VERSION, "labels": labels}
    model = Model(arrays, card)
    heads = Heads(model, parts, scores, options)
    logits = []
    for number in range(len(parts)):
        report(f"head without fold {number + 1} of {len(parts)}", 0.6 + 0.05 * number)
        logits.append(heads.held_out(number))
    report("head", 0.85)
    head = heads.fit()
    factor, shift = calibrate_on(head, parts, logits)
    arrays.update(head.arrays(len(labels)))
    report("held-out figures", 0.95)
    probabilities = [softmax(rows * factor + shift) for rows in logits]
    card["weights"] = choose_weights(np.concatenate(probabilities), parts, labels.index(BODY), options.body_weight)
    card["held_out"] = held_out_figures(model, parts, probabilities)
    return model


def calibrate_on(head: LineClassifier, parts: Sequence[Part], logits: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Calibrate a head on the out-of-fold logits; returns factor and shift for each label."""
    sure = [part.sure for part in parts]
    raw = np.concatenate([rows[keep] for rows, keep in zip(logits, sure, strict=True)])
    truth = np.concatenate([part.label[keep] for part, keep in zip(parts, sure, strict=True)])
    weight = np.concatenate([part.weight[keep] for part, keep in zip(parts, sure, strict=True)])
    head.calibrate(raw[:, head.classes_], truth, weight)
    factor, shift = np.ones(raw.shape[1], np.float32), np.zeros(raw.shape[1], np.float32)
    factor[head.classes_], shift[head.classes_] = head.calibration_
    return factor, shift


def choose_weights(probabilities: Floats, parts: Sequence[Part], body: int, body_weight: float) -> list[float]:
    """Choose what each label's probability is multiplied with before the largest wins.

    The weight of body is given: above 1 it keeps what is in doubt. The others are set in turn, twice
    round, to what gives the best mean F1 out of fold: rare labels would be found too seldom without.
    """
    sure = np.concatenate([part.sure for part in parts])
    truth, shares = np.concatenate([part.label for part in parts])[sure], probabilities[sure]
    weights = np.ones(shares.shape[1], np.float32)
    weights[body] = body_weight
    size = len(weights)

    def mean_f1(trial: Floats) -> float:
        cell = np.bincount(truth * size + decide(shares, trial, body), minlength=size * size).reshape(size, size)
        return float(np.mean(2 * cell.diagonal() / np.maximum(cell.sum(axis=0) + cell.sum(axis=1), 1)))

    for label in [number for number in range(size) if number != body] * 2:
        trials = np.repeat(weights[None], len(WEIGHTS), axis=0)
        trials[:, label] = WEIGHTS
        weights = max(trials, key=mean_f1)
    return [float(weight) for weight in weights]


def held_out_figures(model: Model, parts: Sequence[Part], probabilities: Sequence[Floats]) -> dict[str, Any]:
    """Return the figures of all documents, each by a model that has not seen its site; and by source."""
    measured = joined(
        [
            compare(part.documents, Result(part.batch, rows, model.decide(rows)), model.labels, DEFAULT_KEEP)
            for part, rows in zip(parts, probabilities, strict=True)
        ]
    )
    real = measured.select(measured.view != COPY)
    sources = {name: real.select(real.source == name) for name in sorted(set(real.source.tolist()))}
    found = {name: figures(group) for name, group in sources.items()}
    for row in found.values():
        del row["by_view"], row["by_source"], row["by_language"]
    return {"all": figures(real), **found}


def train(
    data: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    options: Options | None = None,
    report: Report = lambda step, share: None,
    test: Sequence[str | os.PathLike[str]] = (),
) -> Model:
    """Train a model on labelled files and folders and write it to the folder ``output``.

    ``report`` is called with the name of each step and the share done. With ``test`` data its figures
    go into the card as ``scores``. The same data, options and library versions give the same
    ``weights.npz``, byte for byte.

    Raises:
        DataError: a file is wrong (named with its line), or the data is too little to train on.
    """
    options = options or Options()
    documents = read_labelled([Path(path) for path in data])
    tests = read_labelled([Path(path) for path in test])
    model = fit(documents, options, report)
    if tests:
        model.card["scores"] = figures(measure(tests, Cleaner(model)))
    model.card.update(
        date=datetime.date.today().isoformat(),
        options=asdict(options),
        data=describe(documents),
        test_data=describe(tests),
        libraries={name: importlib.metadata.version(name) for name in ("numpy", "scikit-learn", "scipy")},
    )
    model.save(Path(output))
    report("done", 1.0)
    return model


def describe(documents: Sequence[LabelledDocument]) -> list[dict[str, Any]]:
    """Return what the card says of data: by source the documents, sites, lines and digest."""
    rows = []
    for source in sorted({document.source for document in documents}):
        group = [document for document in documents if document.source == source]
        rows.append(
            {
                "source": source,
                "documents": len({document.id for document in group}),
                "sites": len({document.site for document in group}),
                "lines": sum(len(document.lines) for document in group),
                "licence": LICENCES.get(source, "the trainer's own"),
                "sha256": digest(group),
            }
        )
    return rows
