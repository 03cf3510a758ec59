"""Tell the kinds of junk apart, by what either head sees.

The final head sees more, but not the lines of which the draft head is sure; those are told by what the draft head saw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.classifier import spread
from cleaner.copies import COPIES
from cleaner.heads import FoldInputs, by_class, linear_softmax
from cleaner.labels import JUNK, KINDS
from cleaner.sampling import Part, lines_of, real_lines

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
#: Real pages name the kind of few sorts of junk, and of those many lines: this share is used.
REAL_KINDS = 0.1


@dataclass(frozen=True)
class Kinds:
    """What tells the kinds of junk apart by what a head sees: names, weights [features, kinds], bias.

    And of lines whose kind is known the probability of the likeliest, out of fold, and whether that is right.
    """

    names: list[str]
    weights: Floats
    bias: Floats
    most: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]

    def named(self, floor: float) -> dict[str, float]:
        """Return the precision of what is at least so likely, and what share of the lines is."""
        above = self.most >= floor
        share = float(above.mean()) if len(above) else 0.0
        return {"precision": float(self.right[above].mean()) if above.any() else 1.0, "named": share}


def fit(parts: Sequence[Part], inputs: FoldInputs) -> Kinds:
    """Fit a softmax over a head's inputs on the junk lines whose kind is known."""
    rows, kind, fold = [], [], []
    rng = np.random.default_rng(0)
    for number, part in enumerate(parts):
        known, real = kinds_of(part)
        chosen = np.flatnonzero((known >= 0) & (~real | (rng.random(len(real)) < REAL_KINDS)))
        rows.append(inputs(number)[chosen])
        kind.append(known[chosen])
        fold.append(np.full(len(chosen), number))
    x, y, f = (np.concatenate(column) for column in (rows, kind, fold))
    width = x.shape[1]
    if len(np.unique(y)) < 2:
        return Kinds([], np.zeros((width, 0), np.float32), np.zeros(0, np.float32), np.zeros(0), np.zeros(0, np.bool_))
    scale, mean = spread(x, x.dtype), x.mean(axis=0)
    x = (x - mean) / scale
    most, right = np.zeros(len(y)), np.zeros(len(y), np.bool_)
    for number in np.unique(f):
        out, rest = f == number, f != number
        if len(np.unique(y[rest])) > 1 and out.any():
            model = linear_softmax(x[rest], y[rest], inverse_penalty=0.01, steps=100)
            shares = model.predict_proba(x[out])
            most[out], right[out] = shares.max(axis=1), model.classes_[shares.argmax(axis=1)] == y[out]
    model = linear_softmax(x, y, inverse_penalty=0.01, steps=100)
    coef, bias = by_class(model)
    coef = coef / scale
    names = [KINDS[code] for code in model.classes_]
    return Kinds(names, coef.T.astype(np.float32), (bias - coef @ mean).astype(np.float32), most, right)


def kinds_of(part: Part) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Return the number of each line's kind of junk, -1 where none is to be learnt; and whether the page is real."""
    names = [kind.partition("/")[0] for document in part.documents for kind in document.kinds]
    known = np.array([KINDS.index(name) if name in KINDS else -1 for name in names], np.int64)
    junk = np.array([label == JUNK for document in part.documents for label in document.labels])
    return np.where(part.sure & ~lines_of(part, COPIES) & junk, known, -1), real_lines(part)


def kind_floor(both: Sequence[Kinds], precision: float) -> float:
    """Return the smallest probability from which the kinds are right with the given precision by either head."""
    found = 1.0
    for hundredths in range(95, 29, -1):
        if min(one.named(hundredths / 100)["precision"] for one in both) < precision:
            break
        found = hundredths / 100
    return found if both[0].names else 1.0


def fit_kinds(
    parts: Sequence[Part], inputs: Mapping[str, FoldInputs], precision: float
) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Return arrays of a model and entries of its card: the kinds by what each head sees, ``inputs`` by its name."""
    found = {head: fit(parts, seen) for head, seen in inputs.items()}
    floor = kind_floor(list(found.values()), precision)
    names = next(iter(found.values())).names
    arrays = {f"{head}_kind_{name}": getattr(one, name) for head, one in found.items() for name in ("weights", "bias")}
    figures = {head: one.named(floor) for head, one in found.items()} if names else {}
    return arrays, {"kinds": names, "kind_floor": floor, "kind_figures": figures}
