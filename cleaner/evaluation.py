"""Measure a model on labelled documents: labels, words kept and lost, calibration, shingles.

All figures are over the sure lines; weak lines are context only. A *word* is a word token, in text
without spaces a character. Views of a document are texts of their own, each of which counts; but how far chance moves
a figure is told by drawing documents, all views of one together.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.alphabet import TERMINAL
from cleaner.cleaning import AnyModel, Cleaner, Result, as_cleaner
from cleaner.corpus import NO_LINES, PAGE_VIEWS, LabelledDocument, Paths, groups_of, read_sure
from cleaner.costs import word_errors
from cleaner.errors import DataError
from cleaner.grouping import pieces
from cleaner.labels import BODY
from cleaner.shingles import shingle_scores

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
BOOTSTRAPS = 200
BINS = 15


@dataclass(frozen=True)
class Measured:
    """Every line of the labelled documents: truth, prediction and weight in words.

    ``document`` numbers texts: each view of a document is one.
    """

    labels: list[str]
    truth: Ints
    predicted: Ints
    confidence: Floats  # the probability of the predicted label
    kept: Mask
    sure: Mask
    words: Ints
    document: Ints
    source: npt.NDArray[np.str_]
    view: npt.NDArray[np.str_]
    language: npt.NDArray[np.str_]
    kind: npt.NDArray[np.str_]  # the kind of junk, without its detail
    shingles: Floats  # [texts, 2]: word-shingle F1 before and after cleaning, nan where unknown
    id: npt.NDArray[np.str_]  # [texts], the same for all views of a document

    def select(self, lines: Mask) -> "Measured":
        """Return some of the lines."""
        names = [field.name for field in fields(self) if field.name not in ("labels", "shingles", "id")]
        return replace(self, **{name: getattr(self, name)[lines] for name in names})


def evaluate(data: Paths, model: AnyModel = "default") -> dict[str, Any]:
    """Measure a model on labelled files and folders and return the figures, ready for JSON.

    Raises:
        DataError: a file is wrong, holds a label that the model does not have, or all lines are weak.
        ModelError: the model cannot be used.
        UsageError: a path is empty.
    """
    return figures(measure(read_sure(data), as_cleaner(model)))


def measure(documents: Sequence[LabelledDocument], cleaner: Cleaner, name: str = "the model") -> Measured:
    """Label documents and put the prediction of every line beside the truth; ``name`` is the model's in errors."""
    labels = cleaner.model.labels
    for document in documents:
        for line, label in enumerate(document.labels):
            if label not in labels:
                raise DataError(
                    f"{document.place(line)}: {name} does not know the label {label!r}, it has {', '.join(labels)}. "
                    "Correct the label, or measure a model that was trained on it."
                )
    if not documents:
        raise DataError(NO_LINES)
    parts = []
    for group in groups_of(documents):
        result = cleaner.result([piece for document in group for piece, _ in pieces(document.data())])
        parts.append(beside_truth(group, result, labels, cleaner.keep))
    return joined(parts)


def beside_truth(
    documents: Sequence[LabelledDocument], result: Result, labels: list[str], keep: Collection[str]
) -> Measured:
    """Put the result for some documents beside the truth."""
    tokens = result.batch.tokens
    is_word = np.append(tokens.shape < TERMINAL, False)
    kept = np.isin(result.codes, [labels.index(label) for label in keep])
    sizes = [len(document.lines) for document in documents]
    return Measured(
        labels,
        np.array([labels.index(label) for document in documents for label in document.labels]),
        result.codes,
        result.probabilities[np.arange(len(result.codes)), result.codes].astype(np.float64),
        kept,
        np.array([not weak for document in documents for weak in document.weak]),
        result.batch.words(),
        np.repeat(np.arange(len(documents)), sizes),
        np.repeat([document.source for document in documents], sizes),
        np.repeat([document.view for document in documents], sizes),
        np.repeat([document.language for document in documents], sizes),
        np.array([kind.partition("/")[0] for document in documents for kind in document.kinds], np.str_),
        np.array(shingle_scores(documents, tokens, kept, is_word)),
        np.array([document.id for document in documents]),
    )


def joined(parts: Sequence[Measured]) -> Measured:
    """Join measurements of different documents."""
    before = np.cumsum([0] + [len(part.shingles) for part in parts])
    names = [field.name for field in fields(Measured) if field.name not in ("labels", "document")]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    document = np.concatenate([part.document + start for part, start in zip(parts, before, strict=False)])
    return Measured(labels=parts[0].labels, document=document, **arrays)


def ratio(part: float, whole: float) -> float:
    """Divide, 0 over 0 being 0."""
    return float(part / whole) if whole else 0.0


def confusion(measured: Measured) -> Ints:
    """Count sure lines: rows the truth, columns the prediction."""
    size = len(measured.labels)
    cell = (measured.truth * size + measured.predicted)[measured.sure]
    return np.bincount(cell, minlength=size * size).reshape(size, size)


def label_scores(counts: Ints) -> list[dict[str, float]]:
    """Return precision, recall, F1 and support of each label."""
    rows = []
    for label in range(len(counts)):
        hit, found, there = counts[label, label], counts[:, label].sum(), counts[label].sum()
        rows.append(
            {
                "precision": ratio(hit, found),
                "recall": ratio(hit, there),
                "f1": ratio(2 * hit, found + there),
                "lines": int(there),
            }
        )
    return rows


def mean_f1(rows: Iterable[dict[str, float]]) -> float:
    """Return the mean F1 of the labels that occur."""
    return float(np.mean([row["f1"] for row in rows if row["lines"]] or [0.0]))


def keep_scores(measured: Measured) -> dict[str, float]:
    """Return what cleaning keeps and removes, in words of sure lines."""
    words, sure, kept = measured.words, measured.sure, measured.kept
    body = measured.truth == measured.labels.index(BODY)
    hit, there, held = (words[sure & body & kept].sum(), words[sure & body].sum(), words[sure & kept].sum())
    gone, rest = words[sure & ~kept].sum(), words[sure & ~body].sum()
    right = words[sure & ~kept & ~body].sum()
    total = words[sure].sum()
    return {
        "body_precision": ratio(hit, held),
        "body_recall": ratio(hit, there),
        "body_f1": ratio(2 * hit, held + there),
        "body_f1_uncleaned": ratio(2 * there, total + there),
        "removal_recall": ratio(right, rest),
        "removal_precision": ratio(right, gone),
        "body_words": int(there),
        "other_words": int(rest),
    }


def calibration_error(measured: Measured) -> float:
    """Return the expected calibration error of the given labels over 15 equal bins of their probability."""
    confidence = measured.confidence[measured.sure]
    right = (measured.truth == measured.predicted)[measured.sure]
    if not len(confidence):
        return 0.0
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gap = np.bincount(place, confidence - right, BINS)
    return float(np.abs(gap).sum() / len(confidence))


def bootstrap(measured: Measured) -> list[float]:
    """Return the standard error of each label's F1 over resampled documents, all views of one together."""
    size = len(measured.labels)
    texts, place = np.unique(measured.document, return_inverse=True)
    names, number = np.unique(measured.id[texts], return_inverse=True)
    documents = len(names)
    cell = number[place] * size * size + measured.truth * size + measured.predicted
    counts = np.bincount(cell[measured.sure], minlength=documents * size * size).reshape(documents, size * size)
    draws = np.random.default_rng(0).multinomial(documents, np.full(documents, 1 / documents), BOOTSTRAPS)
    sums = (draws @ counts).reshape(BOOTSTRAPS, size, size)
    f1 = np.array([[row["f1"] for row in label_scores(one)] for one in sums])
    return [float(value) for value in f1.std(axis=0)]


def shingle_means(measured: Measured) -> dict[str, float]:
    """Return the mean word-shingle F1 of the texts that the lines are from, and how many got worse.

    ``documents`` is how many texts that is; those that :func:`cleaner.shingles.shingle_scores` says nothing of are out.
    """
    scores = measured.shingles[np.unique(measured.document)]
    scores = scores[~np.isnan(scores[:, 0])]
    if not len(scores):
        return {}
    before, after = scores.mean(axis=0)
    worse = float((scores[:, 1] < scores[:, 0] - 0.01).mean())
    return {"before": float(before), "after": float(after), "worse": worse, "documents": len(scores)}


def lost_share(measured: Measured) -> float:
    """Return the share of texts of whose body words less than half are kept."""
    body = measured.sure & (measured.truth == measured.labels.index(BODY))
    documents = int(measured.document.max(initial=-1)) + 1
    there = np.bincount(measured.document[body], measured.words[body], documents)
    kept = np.bincount(measured.document[body & measured.kept], measured.words[body & measured.kept], documents)
    return ratio(float((kept < there / 2).sum()), float((there > 0).sum()))


def removed_shares(measured: Measured) -> dict[str, float]:
    """Return which share of the lines of each label goes, and of the image credits alone (kind ``credit``)."""
    shares = {}
    for label, name in enumerate(measured.labels):
        lines = measured.sure & (measured.truth == label)
        shares[name] = ratio(float((lines & ~measured.kept).sum()), float(lines.sum()))
    credit = measured.sure & (measured.kind == "credit") & (measured.truth != measured.labels.index(BODY))
    return {**shares, "credit": ratio(float((credit & ~measured.kept).sum()), float(credit.sum()))}


def group_figures(measured: Measured) -> dict[str, Any]:
    """Return the main figures of some lines."""
    rows = label_scores(confusion(measured))
    return {
        "documents": len(np.unique(measured.document)),
        **keep_scores(measured),
        "f1": {label: row["f1"] for label, row in zip(measured.labels, rows, strict=True)},
        "lost": lost_share(measured),
        "removed": removed_shares(measured),
        "calibration_error": calibration_error(measured),
        "shingles": shingle_means(measured),
    }


def summary(measured: Measured) -> dict[str, Any]:
    """Return what two models are told apart by: counts, errors in words, body in words, F1 by label."""
    rows = dict(zip(measured.labels, label_scores(confusion(measured)), strict=True))
    f1 = {label: row["f1"] for label, row in rows.items() if row["lines"]}
    return {
        "documents": len(np.unique(measured.document)),
        "lines": int(measured.sure.sum()),
        "errors": word_errors(measured),
        **keep_scores(measured),
        "f1": f1,
        "macro_f1": mean_f1(rows.values()),
    }


def by_group(measured: Measured, names: npt.NDArray[np.str_]) -> dict[str, dict[str, Any]]:
    """Return the main figures of each source, view or language."""
    return {name or "?": group_figures(measured.select(names == name)) for name in sorted(set(names.tolist()))}


def figures(measured: Measured) -> dict[str, Any]:
    """Return all figures, ready for JSON; shares are between 0 and 1."""
    counts = confusion(measured)
    whole = np.isin(measured.view, PAGE_VIEWS)
    pages = measured.select(whole)
    rows = label_scores(counts)
    for row, error in zip(rows, bootstrap(measured), strict=True):
        row["f1_error"] = error
    return {
        "documents": len(np.unique(measured.document)),
        "lines": int(measured.sure.sum()),
        "labels": dict(zip(measured.labels, rows, strict=True)),
        "macro_f1": mean_f1(rows),
        "confusion": counts.tolist(),
        "errors": word_errors(measured),
        **keep_scores(measured),
        "removed": removed_shares(measured),
        "calibration_error": calibration_error(measured),
        "shingles": shingle_means(measured),
        "by_view": by_group(measured, measured.view),
        "by_source": by_group(measured, measured.source),
        "by_language": by_group(measured, measured.language),
        "by_language_pages": by_group(pages, pages.language),
        "pages": group_figures(pages),
        "extracts": group_figures(measured.select(~whole)),
    }
