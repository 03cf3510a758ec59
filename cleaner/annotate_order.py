"""Which document to label next: the one that would teach most, judged anew as labels come in.

A document's value is the doubt in its lines, times how little it is like those already labelled
(uncertainty and variety). Nothing is trained again: doubt counts more under proposals that turned out
wrong so far, and no longer for lines that a label given to a like line of the same site has settled.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cleaner.annotate_page import Page, Sheet

Floats = npt.NDArray[np.float32]


class Order:
    """The order of a fixed set of documents."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        """Compute what does not change: a unit vector of weighted words for each document.

        A word weighs log(documents / documents that have it), counts are dampened.
        """
        self.labels = sorted({label for sheet in sheets for label in sheet.proposed})
        counts = np.stack([sheet.words for sheet in sheets]) if sheets else np.zeros((0, 1), np.float32)
        spread = np.log((1 + len(sheets)) / (1 + (counts > 0).sum(axis=0)))
        vectors = np.log1p(counts) * spread
        self.vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def rates(self, pages: Sequence[Page]) -> Mapping[str, float]:
        """Return for each proposed label how often the labels given differed, 1 in 4 before any is given."""
        seen, changed = dict.fromkeys(self.labels, 4), dict.fromkeys(self.labels, 1)
        for page in pages:
            for line, label in page.given.items():
                proposal = page.sheet.proposed[line]
                seen[proposal] += 1
                changed[proposal] += label != proposal
        return {label: changed[label] / seen[label] for label in self.labels}

    def doubt(self, page: Page, rates: Mapping[str, float]) -> float:
        """Return the doubt in the lines of a document, relative to the work of reading it."""
        total = sum(
            doubt * rates[proposal]
            for line, (doubt, proposal) in enumerate(zip(page.doubt, page.sheet.proposed, strict=True))
            if line not in page.given
        )
        return float(total / math.sqrt(10 + len(page)))

    def values(self, pages: Sequence[Page]) -> Floats:
        """Return what each document would teach, 0 for those that are done; ``pages`` as the sheets were given."""
        rates = self.rates(pages)
        done = np.array([page.done for page in pages], np.bool_)
        doubt = np.array([0.0 if page.done else 1e-6 + self.doubt(page, rates) for page in pages], np.float32)
        alike = (self.vectors @ self.vectors[done].T).max(axis=1, initial=0)
        return np.asarray(doubt * np.maximum(1 - alike, 0.01), np.float32)
