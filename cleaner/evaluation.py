"""Measure a model on labelled documents: labels, words kept and lost, calibration, shingles.

All figures are over the sure lines; weak lines are context only. A *word* is a word token, in text
without spaces a character.
"""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.alphabet import TERMINAL
from cleaner.cleaning import BATCH_BYTES, Cleaner, Result
from cleaner.corpus import LabelledDocument, read_labelled
from cleaner.errors import DataError
from cleaner.features import Tokens
from cleaner.labels import BODY

__all__ = ["Measured", "compare", "evaluate", "figures", "joined", "measure"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
BOOTSTRAPS = 200
BINS = 15
MULTIPLIER = 0x2545F4914F6CDD1D


@dataclass(frozen=True)
class Measured:
    """Every line of the labelled documents: truth, prediction and weight in words."""

    labels: list[str]
    truth: Ints
    predicted: Ints
    confidence: Floats
    kept: Mask
    sure: Mask
    words: Ints
    document: Ints
    source: npt.NDArray[np.str_]
    view: npt.NDArray[np.str_]
    language: npt.NDArray[np.str_]
    shingles: Floats  # [documents, 2]: word-shingle F1 before and after cleaning, nan where unknown

    def select(self, lines: Mask) -> "Measured":
        """Return some of the lines."""
        each = {name: getattr(self, name)[lines] for name in ("truth", "predicted", "confidence", "kept", "sure")}
        rest = {name: getattr(self, name)[lines] for name in ("words", "document", "source", "view", "language")}
        return Measured(labels=self.labels, shingles=self.shingles, **each, **rest)


def evaluate(
    data: Sequence[str | os.PathLike[str]], model: str | os.PathLike[str] | Cleaner = "default"
) -> dict[str, Any]:
    """Measure a model on labelled files and folders and return the figures, ready for JSON.

    Raises:
        DataError: a file is wrong, or holds a label that the model does not have.
    """
    cleaner = model if isinstance(model, Cleaner) else Cleaner.load(model)
    return figures(measure(read_labelled([Path(path) for path in data]), cleaner))


def groups_of(documents: Sequence[LabelledDocument]) -> list[list[LabelledDocument]]:
    """Group documents into batches of a few megabytes."""
    groups: list[list[LabelledDocument]] = [[]]
    size = 0
    for document in documents:
        if size > 4 * BATCH_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(document)
        size += sum(map(len, document.lines))
    return groups


def measure(documents: Sequence[LabelledDocument], cleaner: Cleaner) -> Measured:
    """Label documents and put the prediction of every line beside the truth."""
    labels = cleaner.model.labels
    unknown = sorted({label for document in documents for label in document.labels} - set(labels))
    if unknown:
        raise DataError(f"the data has labels that the model has not: {', '.join(unknown)}. Train a model on them.")
    if not documents:
        raise DataError("no labelled lines found. Give folders of .tsv or .jsonl files with lines in them.")
    parts = []
    for group in groups_of(documents):
        result = cleaner.result([d.text().encode("utf-8", "surrogatepass") for d in group])
        parts.append(compare(group, result, labels, cleaner.keep))
    return joined(parts)


def compare(
    documents: Sequence[LabelledDocument], result: Result, labels: list[str], keep: Collection[str]
) -> Measured:
    """Put the result for some documents beside the truth."""
    tokens = result.batch.tokens
    is_word = np.append(tokens.shape < TERMINAL, False)
    sums = np.concatenate([[0], np.cumsum(is_word)])
    kept = np.isin(result.codes, [labels.index(label) for label in keep])
    sizes = [len(document.lines) for document in documents]
    return Measured(
        labels,
        np.array([labels.index(label) for document in documents for label in document.labels]),
        result.codes,
        result.probabilities.max(axis=1).astype(np.float64),
        kept,
        np.array([not weak for document in documents for weak in document.weak]),
        np.maximum(sums[tokens.first[1:]] - sums[tokens.first[:-1]], 1),
        np.repeat(np.arange(len(documents)), sizes),
        np.repeat([document.source for document in documents], sizes),
        np.repeat([document.view for document in documents], sizes),
        np.repeat([document.language for document in documents], sizes),
        np.array(shingle_scores(documents, tokens, kept, is_word)),
    )


def joined(parts: Sequence[Measured]) -> Measured:
    """Join measurements of different documents."""
    before = np.cumsum([0] + [len(part.shingles) for part in parts])
    names = [field.name for field in fields(Measured) if field.name not in ("labels", "document")]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    document = np.concatenate([part.document + start for part, start in zip(parts, before, strict=False)])
    return Measured(labels=parts[0].labels, document=document, **arrays)


def shingle_scores(
    group: Sequence[LabelledDocument], tokens: Tokens, kept: Mask, is_word: Mask
) -> list[tuple[float, float]]:
    """Return for each document the word 4-gram F1 against its body, of the text before and after cleaning."""
    out = []
    line = 0
    for document in group:
        found: dict[str, list[Ints]] = {"body": [], "before": [], "after": []}
        for label, weak in zip(document.labels, document.weak, strict=True):
            span = slice(tokens.first[line], tokens.first[line + 1])
            words = tokens.word[span][is_word[span]]
            line += 1
            if weak:
                continue
            found["before"].append(words)
            if kept[line - 1]:
                found["after"].append(words)
            if label == BODY:
                found["body"].append(words)
        mostly_weak = sum(document.weak) * 2 > len(document.weak)
        if mostly_weak or not found["body"]:
            out.append((np.nan, np.nan))
            continue
        body = shingle_counts(found["body"])
        out.append(
            (shingle_f1(shingle_counts(found["before"]), body), shingle_f1(shingle_counts(found["after"]), body))
        )
    return out


def shingle_counts(lines: list[Ints]) -> dict[int, int]:
    """Count the word 4-grams of some lines, run together."""
    words = np.concatenate(lines) if lines else np.zeros(0, np.int64)
    if not len(words):
        return {}
    padded = np.concatenate([words, np.zeros(3, np.int64)])
    mixed = np.zeros(max(len(words) - 3, 1), np.int64)
    with np.errstate(over="ignore"):
        for step in range(4):
            mixed = (mixed ^ padded[step : step + len(mixed)]) * np.int64(MULTIPLIER)
    keys, counts = np.unique(mixed, return_counts=True)
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def shingle_f1(found: dict[int, int], truth: dict[int, int]) -> float:
    """Return the F1 of two multisets."""
    common = sum(min(count, truth.get(key, 0)) for key, count in found.items())
    total = sum(found.values()) + sum(truth.values())
    return 2 * common / total if total else 1.0


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
    """Return the expected calibration error of the likeliest label over 15 equal bins of confidence."""
    confidence = measured.confidence[measured.sure]
    right = (measured.truth == measured.predicted)[measured.sure]
    if not len(confidence):
        return 0.0
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gap = np.bincount(place, confidence - right, BINS)
    return float(np.abs(gap).sum() / len(confidence))


def bootstrap(measured: Measured) -> list[float]:
    """Return the standard error of each label's F1 over resampled documents."""
    size = len(measured.labels)
    documents = int(measured.document.max()) + 1 if len(measured.document) else 0
    cell = measured.document * size * size + measured.truth * size + measured.predicted
    counts = np.bincount(cell[measured.sure], minlength=documents * size * size).reshape(documents, size * size)
    draws = np.random.default_rng(0).multinomial(documents, np.full(documents, 1 / documents), BOOTSTRAPS)
    sums = (draws @ counts).reshape(BOOTSTRAPS, size, size)
    f1 = np.array([[row["f1"] for row in label_scores(one)] for one in sums])
    return [float(value) for value in f1.std(axis=0)]


def shingle_means(measured: Measured) -> dict[str, float]:
    """Return the mean word-shingle F1 of the documents that the lines are from, and how many got worse."""
    scores = measured.shingles[np.unique(measured.document)]
    scores = scores[~np.isnan(scores[:, 0])]
    if not len(scores):
        return {}
    before, after = scores.mean(axis=0)
    worse = float((scores[:, 1] < scores[:, 0] - 0.01).mean())
    return {"before": float(before), "after": float(after), "worse": worse, "documents": len(scores)}


def by_group(measured: Measured, names: npt.NDArray[np.str_]) -> dict[str, dict[str, Any]]:
    """Return the main figures of each source, view or language."""
    out = {}
    for name in sorted(set(names.tolist())):
        part = measured.select(names == name)
        rows = label_scores(confusion(part))
        out[name or "?"] = {
            **keep_scores(part),
            "f1": {label: row["f1"] for label, row in zip(part.labels, rows, strict=True)},
            "calibration_error": calibration_error(part),
            "shingles": shingle_means(part),
        }
    return out


def figures(measured: Measured) -> dict[str, Any]:
    """Return all figures, ready for JSON; shares are between 0 and 1."""
    counts = confusion(measured)
    rows = label_scores(counts)
    for row, error in zip(rows, bootstrap(measured), strict=True):
        row["f1_error"] = error
    return {
        "documents": len(np.unique(measured.document)),
        "lines": int(measured.sure.sum()),
        "labels": dict(zip(measured.labels, rows, strict=True)),
        "macro_f1": float(np.mean([row["f1"] for row in rows])),
        "confusion": counts.tolist(),
        **keep_scores(measured),
        "calibration_error": calibration_error(measured),
        "shingles": shingle_means(measured),
        "by_view": by_group(measured, measured.view),
        "by_source": by_group(measured, measured.source),
        "by_language": by_group(measured, measured.language),
    }
