"""How much of a document is its article: F1 of word 4-grams against the body lines, before and after cleaning."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cleaner.corpus import LabelledDocument
from cleaner.features import Tokens
from cleaner.labels import BODY

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
MULTIPLIER = 0x2545F4914F6CDD1D


def shingle_scores(
    group: Sequence[LabelledDocument], tokens: Tokens, kept: Mask, is_word: Mask
) -> list[tuple[float, float]]:
    """Return for each document the word 4-gram F1 against its body, of the text before and after cleaning.

    Both are nan where more than half of the lines are weak, as what is left is no text, or where no body is sure.
    """
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
