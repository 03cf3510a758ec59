"""Compare two models on labelled documents: figures side by side, how sure the differences are, and which lines differ.

Documents are resampled, all views and copies of one together: lines of a document are too alike to be drawn one by one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.alike import of_one, trained_on
from cleaner.cleaning import AnyModel, Cleaner, as_cleaner
from cleaner.corpus import LabelledDocument, Paths, read_sure
from cleaner.costs import keep_errors, row_of
from cleaner.evaluation import Measured, measure
from cleaner.labels import BODY
from cleaner.model import Model

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BOOTSTRAPS = 1000
#: The interval that holds a difference with 95 % probability.
INTERVAL = (0.025, 0.975)


def compare(first: AnyModel, second: AnyModel, data: Paths) -> dict[str, Any]:
    """Measure two models on the same labelled files and folders; the result is ready for JSON.

    ``figures`` has for each figure the two values, their difference (second less first) and its interval of 95 %
    over resampled documents; ``differing`` the lines that the models label differently, those first that the second
    has wrong and the first right, each group by words, most first; ``trained_on`` on how many of the documents each
    of the two was trained, as far as its card tells: what it says of these shows little of others.

    Raises:
        DataError: a file is wrong, holds a label that one of the models does not have, or all lines are weak.
        ModelError: a model cannot be used.
        UsageError: a path is empty.
    """
    documents = read_sure(data)
    measured, known = [], {}
    for place, one in (("first", first), ("second", second)):
        name = f"the {place} model" if isinstance(one, Cleaner | Model) else f"the model {one}"
        cleaner = as_cleaner(one)
        measured.append(measure(documents, cleaner, name))
        known[place] = trained_on(cleaner.model.card, documents)[0]
    found = compare_measured(documents, *measured)
    return {**found, "trained_on": known, "differing": differing(documents, *measured)}


def figure_names(labels: Sequence[str]) -> list[str]:
    """Return the names of the figures, in the order of :func:`sums_to_figures`."""
    body = ("keep/drop errors, words", "wrong labels, words", "body kept", "rest removed", "body F1")
    return [*body, *(f"F1 {label}" for label in labels), "mean F1"]


def compare_measured(documents: Sequence[LabelledDocument], first: Measured, second: Measured) -> dict[str, Any]:
    """Return the figures of two measurements of the same documents side by side."""
    labels = sorted({first.labels[code] for code in first.truth[first.sure]}, key=first.labels.index)
    unit = np.array(of_one(documents), np.int64)
    size = int(unit.max()) + 1
    draws = np.random.default_rng(0).multinomial(size, np.full(size, 1 / size), BOOTSTRAPS)
    weights = np.concatenate([np.ones((1, size), np.int64), draws])
    a, b = (sums_to_figures(weights @ unit_sums(one, unit, labels), len(labels)) for one in (first, second))
    rows = []
    for column, name in enumerate(figure_names(labels)):
        low, high = np.quantile(b[1:, column] - a[1:, column], INTERVAL)
        values = [float(value) for value in (a[0, column], b[0, column], b[0, column] - a[0, column], low, high)]
        row = dict(zip(("first", "second", "difference", "low", "high"), values, strict=True))
        rows.append({"figure": name, **row})
    lines = int(first.sure.sum())
    return {"documents": size, "lines": lines, "words": int(first.words[first.sure].sum()), "figures": rows}


def unit_sums(measured: Measured, unit: Ints, labels: Sequence[str]) -> Ints:
    """Return for each document what its figures are sums of, [documents, columns]: see :func:`sums_to_figures`."""
    sure = measured.sure
    where, words = unit[measured.document][sure], measured.words[sure]
    truth = np.array([labels.index(name) if name in labels else -1 for name in measured.labels])
    right, found = truth[measured.truth[sure]], truth[measured.predicted[sure]]
    kept, body = measured.kept[sure], measured.truth[sure] == measured.labels.index(BODY)
    units = int(unit.max()) + 1

    def count(mask: npt.NDArray[np.bool_], weight: Ints | None = None) -> Floats:
        return np.asarray(np.bincount(where[mask], None if weight is None else weight[mask], units), np.float64)

    groups: list[Callable[[int], Floats]] = [
        lambda label: count((right == label) & (found == label)),
        lambda label: count(right == label),
        lambda label: count(found == label),
    ]
    wrong = measured.truth[sure] != measured.predicted[sure]
    columns = [count(body & kept, words), count(body & ~kept, words), count(~body & kept, words)]
    columns += [count(~body & ~kept, words), count(wrong, words)]
    columns += [group(label) for group in groups for label in range(len(labels))]
    return np.stack(columns, axis=1).astype(np.int64)


def sums_to_figures(sums: Ints, labels: int) -> Floats:
    """Return the figures of :func:`figure_names` for each row of sums, [rows, figures]."""
    hit, lost, left, gone, wrong = (sums[:, column].astype(np.float64) for column in range(5))
    right, there, found = (sums[:, 5 + labels * group : 5 + labels * (group + 1)] for group in range(3))
    f1 = share(2 * right, there + found)
    body = [share(hit, hit + lost), share(gone, gone + left), share(2 * hit, 2 * hit + lost + left)]
    return np.column_stack([lost + left, wrong, *body, f1, f1.mean(axis=1)])


def share(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """Divide, 0 over 0 being 0."""
    return np.asarray(part / np.maximum(whole, 1e-9), np.float64)


def differing(documents: Sequence[LabelledDocument], first: Measured, second: Measured) -> list[dict[str, Any]]:
    """Return the sure lines that two models label differently, the second's losses first, each group by words."""
    names = [np.array(one.labels, object)[one.predicted] for one in (first, second)]
    truth = np.array(first.labels, object)[first.truth]
    wrong = [(one != truth) + 1.0 * keep_errors(measured) for one, measured in zip(names, (first, second), strict=True)]
    lines = np.flatnonzero(first.sure & (names[0] != names[1]))
    change = np.sign(wrong[1] - wrong[0])[lines]
    order = lines[np.lexsort((lines, -first.words[lines], -change))]
    begins = np.cumsum([0] + [len(document.lines) for document in documents])
    verdict = {1: "worse", 0: "neither", -1: "better"}
    out = []
    for line in order.tolist():
        document = documents[int(first.document[line])]
        at = line - int(begins[first.document[line]])
        out.append(
            {
                "change": verdict[int(np.sign(wrong[1][line] - wrong[0][line]))],
                "document": document.id,
                "line": row_of(document, at),
                "words": int(first.words[line]),
                "truth": truth[line],
                "first": names[0][line],
                "second": names[1][line],
                "text": document.lines[at],
            }
        )
    return out
